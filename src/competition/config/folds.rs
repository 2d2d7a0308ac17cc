//! `[folds]` of the description.

use serde::{Deserialize, Serialize};

use super::FileConfig;

/// How rows are split into folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FoldsConfig {
    pub scheme: Scheme,
    /// Folds a repeat.
    pub n: usize,
    pub repeats: usize,
    pub seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// In days where the time is a date, else in the column's own unit.
    #[serde(skip_serializing_if = "is_zero")]
    pub gap: f64,
    /// The column of train that numbers the folds, for the scheme `given`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// A table of ids and fold numbers, for the scheme `given`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileConfig>,
}

impl Default for FoldsConfig {
    fn default() -> Self {
        FoldsConfig {
            scheme: Scheme::Kfold,
            n: 5,
            repeats: 1,
            seed: 0,
            group: None,
            time: None,
            gap: 0.0,
            column: None,
            file: None,
        }
    }
}

fn is_zero(gap: &f64) -> bool {
    *gap == 0.0
}

/// The fold schemes of [`crate::split`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    Kfold,
    Stratified,
    Group,
    StratifiedGroup,
    TimeExpanding,
    TimeBlocked,
    LeaveOneGroupOut,
    Given,
}

impl Scheme {
    pub const ALL: [Scheme; 8] = [
        Scheme::Kfold,
        Scheme::Stratified,
        Scheme::Group,
        Scheme::StratifiedGroup,
        Scheme::TimeExpanding,
        Scheme::TimeBlocked,
        Scheme::LeaveOneGroupOut,
        Scheme::Given,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Scheme::Kfold => "kfold",
            Scheme::Stratified => "stratified",
            Scheme::Group => "group",
            Scheme::StratifiedGroup => "stratified_group",
            Scheme::TimeExpanding => "time_expanding",
            Scheme::TimeBlocked => "time_blocked",
            Scheme::LeaveOneGroupOut => "leave_one_group_out",
            Scheme::Given => "given",
        }
    }

    pub fn needs_group(self) -> bool {
        matches!(self, Scheme::Group | Scheme::StratifiedGroup | Scheme::LeaveOneGroupOut)
    }

    /// Whether the folds follow from a seed; else they are the same each time.
    pub fn is_drawn(self) -> bool {
        matches!(self, Scheme::Kfold | Scheme::Stratified | Scheme::Group | Scheme::StratifiedGroup)
    }

    pub fn needs_time(self) -> bool {
        matches!(self, Scheme::TimeExpanding | Scheme::TimeBlocked)
    }
}

/// Where a row's group stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GroupConfig {
    Column(String),
    Part(GroupPart),
}

/// A group that is the head of a cell: `0001` of `0001_01`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPart {
    pub column: String,
    /// The cell counts up to the first of this; a cell without it counts whole.
    pub up_to: String,
}

impl GroupConfig {
    pub fn column(&self) -> &str {
        match self {
            GroupConfig::Column(column) => column,
            GroupConfig::Part(part) => &part.column,
        }
    }

    /// The group that a cell names.
    pub fn of<'a>(&self, cell: &'a str) -> &'a str {
        match self {
            GroupConfig::Column(_) => cell,
            GroupConfig::Part(part) => cell.split_once(&part.up_to).map_or(cell, |(head, _)| head),
        }
    }
}
