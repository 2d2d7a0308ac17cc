//! How data is printed: tables, CSV, JSON, Markdown, on stdout and nowhere else.

use std::io::{ErrorKind, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::submission::file::shortest;

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
            Format::Table => print(&format!("{}\n", self.text(terminal_width()))),
        }
    }

    /// A table where no word has to be torn for it, else a block of lines a row.
    fn text(&self, width: u16) -> String {
        let least = |column: usize| {
            let words = self.rows.iter().flat_map(|row| row[column].split(' ')).chain([self.header[column].as_str()]);
            2 + words.map(|word| word.chars().count()).max().unwrap_or(0)
        };
        let leasts: Vec<usize> = (0..self.header.len()).map(least).collect();
        if leasts.iter().sum::<usize>() > usize::from(width) && !self.rows.is_empty() {
            return self.blocks(width);
        }
        self.table(width, &leasts)
    }

    fn blocks(&self, width: u16) -> String {
        let label = 2 + self.header.iter().map(|name| name.len()).max().unwrap_or(0);
        let block = |row: &Vec<String>| -> String {
            let cells = self.header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            cells.map(|(name, cell)| beside(label, name, cell, Some(width)) + "\n").collect()
        };
        let blocks: Vec<String> = self.rows.iter().map(block).collect();
        blocks.join("\n").trim_end().to_string()
    }

    /// `leasts`: the columns' widths below which a word would be torn.
    fn table(&self, width: u16, leasts: &[usize]) -> String {
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
        table.set_header(&self.header);
        table.add_rows(&self.rows);
        for (column, &least) in table.column_iter_mut().zip(leasts) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least as u16)));
        }
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

/// Rows written a block at a time, since there may be millions: CSV, Markdown, or JSON objects; a table is CSV.
pub struct Rows<W> {
    names: Vec<String>,
    format: Format,
    write: W,
    text: String,
    is_first: bool,
}

impl<W: FnMut(&str) -> Result<()>> Rows<W> {
    pub fn new(names: &[impl AsRef<str>], format: Format, write: W) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_string()).collect();
        let text = match format {
            Format::Json => "[".to_string(),
            Format::Markdown => markdown_header(&names),
            Format::Table | Format::Csv => csv_line(&names),
        };
        Rows { names, format, write, text, is_first: true }
    }

    /// One value a column.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn push(&mut self, values: &[Value]) -> Result<()> {
        const BLOCK: usize = 1 << 16;
        if self.format == Format::Json {
            let fields: Vec<String> = self
                .names
                .iter()
                .zip(values)
                .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                .collect();
            self.text += if self.is_first { "\n{" } else { ",\n{" };
            self.text += &(fields.join(",") + "}");
        } else {
            let cells: Vec<String> = values.iter().map(plain).collect();
            self.text += &if self.format == Format::Markdown { markdown_line(&cells) } else { csv_line(&cells) };
        }
        self.is_first = false;
        if self.text.len() < BLOCK {
            return Ok(());
        }
        (self.write)(&std::mem::take(&mut self.text))
    }

    /// # Errors
    /// When what is left cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.text += if self.format == Format::Json { "\n]\n" } else { "" };
        (self.write)(&self.text)
    }
}

/// A value as a cell of text.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), shortest)
        }
        other => other.to_string(),
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
    beside(10, label, text, width)
}

/// The text beside its label, which has `n` columns.
fn beside(n: usize, label: &str, text: &str, width: Option<u16>) -> String {
    let room = width.map_or(usize::MAX, |width| usize::from(width).saturating_sub(n).max(n));
    let lines = crate::broken(text, room).join(&format!("\n{:n$}", ""));
    format!("{label:n$}{lines}")
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
    fn a_listing_tears_no_word_at_any_width() {
        let mut listing = Listing::new(&["study", "competition", "params"]);
        let cells = ["penguins-auto-2e3285", "penguins", "knn.n_neighbors=5 prep.encoding=onehot"];
        listing.push(cells.map(str::to_string).to_vec(), Value::Null);
        for width in [40, 50, 60, 80, 120] {
            let text = listing.text(width);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{text}");
            for word in ["penguins-auto-2e3285", "knn.n_neighbors=5", "prep.encoding=onehot"] {
                assert!(text.contains(word), "{width}: {word} is torn:\n{text}");
            }
        }
        assert_eq!(listing.text(40).lines().next(), Some("study        penguins-auto-2e3285"));
    }

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
