//! Rows of another file, read as columns that are known already.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::files::{missing, some};
use super::{Config, columns, roles};
use crate::error::{Error, Result};
use crate::reader::{self, Draft, Hold, Place, Plan};
use crate::table::{Column, ColumnType, MISSING, Table, Values};

/// A column as it was when something was learned from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Of a category, in the order of its codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
}

impl KnownColumn {
    pub fn of(column: &Column) -> KnownColumn {
        let levels = match &column.values {
            Values::Categorical { levels, .. } => Some(levels.to_vec()),
            _ => None,
        };
        KnownColumn { name: column.name.clone(), kind: column.kind, levels }
    }
}

/// Rows that no file of the competition holds.
#[derive(Debug)]
pub struct NewRows {
    /// Where the file has the competition's id column.
    pub ids: Option<Vec<Arc<str>>>,
    /// The known columns, in their order.
    pub features: Table,
    /// Categories with levels that are not known, and in how many rows.
    pub unseen: Vec<(String, usize)>,
}

/// What stands for all levels that are not known: no file can hold it.
const UNSEEN: &str = "\0unseen";

/// Reads the rows of a table file whose columns are known. Others are left alone; their order is free.
///
/// # Errors
/// When the file cannot be read, lacks a known column, or holds a cell of another type than the column's: names column and row.
pub fn read_rows(config: &Config, known: &[KnownColumn], path: &Path) -> Result<NewRows> {
    let id = config.id.as_deref();
    let plan = |name: &str| {
        let column = known.iter().find(|column| column.name == name);
        let hold = match column.map(|column| column.kind) {
            Some(ColumnType::Numeric) if id != Some(name) => Hold::Either,
            Some(_) => Hold::Words,
            None if id == Some(name) => Hold::Words,
            None => Hold::Skip,
        };
        // An id is whatever its bytes are.
        Plan { hold, missing: if id == Some(name) { Vec::new() } else { missing(name, config) } }
    };
    let mut drafts = reader::read(Place { path, entry: None, encoding: config.encoding }, plan)?;
    let absent: Vec<String> =
        known.iter().map(|column| column.name.clone()).filter(|name| !drafts.header.contains(name)).collect();
    if let Some(first) = absent.first() {
        let error = Error::data("this column is missing, and the model was fitted on it").file(path).column(first);
        let others = drafts.header.iter().filter(|name| !known.iter().any(|column| column.name == **name));
        return Err(match crate::nearest(first, others.map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`? Columns are found by their names")),
            None if absent.len() > 1 => error.help(format!("{} are missing: {}", absent.len(), some(&absent))),
            None => error.help(format!("the file has {}", some(&drafts.header))),
        });
    }
    let n_rows = drafts.n_rows;
    let mut ids = None;
    if let Some(id) = id
        && let Some(place) = drafts.header.iter().position(|name| name == id)
    {
        ids = Some(roles::test_ids(id, &drafts.columns[place]).map_err(|error| error.file(path))?);
    }
    let (mut features, mut unseen) = (Vec::new(), Vec::new());
    for column in known {
        let place = drafts.header.iter().position(|name| *name == column.name);
        let draft = place.map(|place| std::mem::replace(&mut drafts.columns[place], Draft::Skipped));
        let draft = draft.ok_or_else(|| Error::unexpected("a column that was there is gone").column(&column.name))?;
        let built = columns::build(&column.name, column.kind, config.columns.get(&column.name), vec![draft]);
        let built = built.map_err(|(_, error)| {
            let error = error.file(path);
            let was = format!("the model was fitted on a {} column", column.kind.name());
            let help = error.help.as_ref().map_or(was.clone(), |help| format!("{was}; {help}"));
            error.help(help)
        })?;
        for built in built {
            let (values, n_unseen) = with_known_levels(built.values, column);
            if n_unseen > 0 {
                unseen.push((column.name.clone(), n_unseen));
            }
            features.push(Arc::new(Column { name: built.name, kind: built.kind, values }));
        }
    }
    Ok(NewRows { ids, features: Table::new(n_rows, features), unseen })
}

/// Codes as they were learned from; one code more stands for every other level.
fn with_known_levels(values: Values, column: &KnownColumn) -> (Values, usize) {
    let (Values::Categorical { codes, levels }, Some(known)) = (&values, &column.levels) else { return (values, 0) };
    let position: HashMap<&str, u32> =
        known.iter().enumerate().map(|(code, level)| (level.as_str(), code as u32)).collect();
    let unseen = known.len() as u32;
    let recoded: Vec<u32> =
        levels.iter().map(|level| position.get(level.as_str()).copied().unwrap_or(unseen)).collect();
    let codes: Vec<u32> =
        codes.iter().map(|&code| if code == MISSING { MISSING } else { recoded[code as usize] }).collect();
    let n_unseen = codes.iter().filter(|&&code| code == unseen).count();
    let levels = known.iter().cloned().chain([UNSEEN.to_string()]).collect();
    (Values::Categorical { codes, levels: Arc::new(levels) }, n_unseen)
}
