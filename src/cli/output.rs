//! How data is printed: tables, CSV, JSON, Markdown, on stdout and nowhere else.

use std::io::{ErrorKind, IsTerminal, Write};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde_json::Value;

use crate::error::{Error, Result};

/// The forms that `--output` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Csv,
    Json,
    Markdown,
}

pub const RED: &str = "31;1";
pub const BOLD: &str = "1";

/// The text in a colour, on a terminal and without NO_COLOR.
pub fn paint(code: &str, text: &str) -> String {
    let wanted = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

/// Writes to stdout. A reader that has gone (`| head`) is no error.
///
/// # Errors
/// When stdout cannot be written for another reason.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::unexpected(format!("stdout: {error}"))),
        _ => Ok(()),
    }
}

/// # Errors
/// When stdout cannot be written.
pub fn print_json(value: &Value) -> Result<()> {
    print(&format!("{value:#}\n"))
}

/// Rows of text under a header, and the same as JSON objects.
pub struct Listing {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    json: Vec<Value>,
}

impl Listing {
    pub fn new(header: &[&str]) -> Self {
        Listing { header: header.iter().map(|name| name.to_string()).collect(), rows: Vec::new(), json: Vec::new() }
    }

    /// `json`: the same row with its types.
    pub fn push(&mut self, cells: Vec<String>, json: Value) {
        self.rows.push(cells);
        self.json.push(json);
    }

    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, format: Format) -> Result<()> {
        match format {
            Format::Json => print_json(&Value::Array(self.json.clone())),
            Format::Csv => print(&self.csv()),
            Format::Markdown => print(&self.markdown()),
            Format::Table => print(&format!("{}\n", self.table())),
        }
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(terminal_width());
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        table.trim_fmt()
    }

    fn csv(&self) -> String {
        let header = self.header.iter().map(|name| name.replace(' ', "_")).collect::<Vec<_>>();
        std::iter::once(&header).chain(&self.rows).map(|row| csv_line(row)).collect()
    }

    fn markdown(&self) -> String {
        markdown_header(&self.header) + &self.rows.iter().map(|row| markdown_line(row)).collect::<String>()
    }
}

/// A record of a CSV file: cells that need quotes have them.
pub fn csv_line(cells: &[String]) -> String {
    let quote = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    };
    cells.iter().map(quote).collect::<Vec<_>>().join(",") + "\n"
}

/// A row of a Markdown table.
pub fn markdown_line(cells: &[String]) -> String {
    let escape = |cell: &String| cell.replace('|', "\\|").replace('\n', " ");
    format!("| {} |\n", cells.iter().map(escape).collect::<Vec<_>>().join(" | "))
}

/// The head of a Markdown table.
pub fn markdown_header(names: &[impl AsRef<str>]) -> String {
    let joined = |cell: fn(&str) -> &str| names.iter().map(|name| cell(name.as_ref())).collect::<Vec<_>>().join(" | ");
    format!("| {} |\n| {} |\n", joined(|name| name), joined(|_| "---"))
}

/// `label`, and beside it the text, broken between words where it is wider than `width` columns; none breaks nothing.
pub fn hanging(label: &str, text: &str, width: Option<u16>) -> String {
    const LABEL: usize = 10;
    let room = width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(LABEL).max(LABEL));
    let lines = crate::broken(text, room).join(&format!("\n{:LABEL$}", ""));
    format!("{label:LABEL$}{lines}")
}

/// Columns of the terminal that stderr is; none where it is none.
pub fn stderr_width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0)
}

/// Columns of the terminal that stdout is; none where it is none.
pub fn stdout_width() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0)
}

/// Columns of the terminal; 120 where stdout is none.
pub fn terminal_width() -> u16 {
    stdout_width().map_or(120, |width| width.max(40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labelled_line_is_broken_between_words_and_hangs() {
        let text = "5 folds, 48 rows scored in each";
        assert_eq!(hanging("folds", text, Some(30)), "folds     5 folds, 48 rows\n          scored in each");
        assert_eq!(hanging("folds", text, None), "folds     5 folds, 48 rows scored in each");
        assert_eq!(
            hanging("study", "a_name_that_is_longer_than_that", Some(20)),
            "study     a_name_that_is_longer_than_that"
        );
    }
}
