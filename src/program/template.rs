//! Words with placeholders: `{lr}` stands for a parameter, `{trial}` for the trial's number.

use std::collections::BTreeMap;

/// What a placeholder stands for in one run, by its name; none where a parameter has no effect.
pub type Filling = BTreeMap<String, Option<String>>;

/// A word of the command line, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// Braces around anything but a known name stay as they are.
    pub fn new(word: &str, is_known: impl Fn(&str) -> bool) -> Template {
        let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), word);
        while let Some(open) = rest.find('{') {
            let (before, after) = (&rest[..open], &rest[open + 1..]);
            text += before;
            match after.split_once('}').filter(|(name, _)| is_known(name)) {
                Some((name, behind)) => {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(Piece::Name(name.to_string()));
                    rest = behind;
                }
                None => {
                    text.push('{');
                    rest = after;
                }
            }
        }
        pieces.push(Piece::Text(text + rest));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        Template { pieces }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The word; none where it names a parameter without effect.
    pub fn fill(&self, filling: &Filling) -> Option<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Name(name) => filling.get(name).cloned().flatten(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// Nothing but one placeholder: then the flag before it belongs to it.
    fn is_bare(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Name(_)])
    }

    fn is_flag(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Text(text)] if text.starts_with('-') && !text.contains('='))
    }
}

/// The words of a command. One that names a parameter without effect is left out, and so is the flag before it: `--degree {degree}`.
pub fn fill_all(words: &[Template], filling: &Filling) -> Vec<String> {
    let mut filled = Vec::with_capacity(words.len());
    for (i, word) in words.iter().enumerate() {
        match word.fill(filling) {
            Some(word) => filled.push(word),
            None if word.is_bare() && i > 0 && words[i - 1].is_flag() => drop(filled.pop()),
            None => {}
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: &[&str]) {
        let filling = [("lr", Some("0.1")), ("opt.name", Some("a b")), ("degree", None)];
        let filling: Filling =
            filling.iter().map(|(name, value)| (name.to_string(), value.map(str::to_string))).collect();
        let words: Vec<Template> =
            words.iter().map(|word| Template::new(word, |name| filling.contains_key(name))).collect();
        assert_eq!(fill_all(&words, &filling), expected);
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        check(&["./train", "--lr={lr}", "{opt.name}"], &["./train", "--lr=0.1", "a b"]);
        check(
            &["{lr}-{lr}", "{{lr}}", "{print $1}", "{", "}{", "{}"],
            &["0.1-0.1", "{0.1}", "{print $1}", "{", "}{", "{}"],
        );
        check(&["", "{lr"], &["", "{lr"]);
    }

    #[test]
    fn words_of_a_parameter_without_effect_are_left_out_with_their_flag() {
        check(&["a", "--degree={degree}", "b"], &["a", "b"]);
        check(&["a", "--degree", "{degree}", "b"], &["a", "b"]);
        check(&["a", "word", "{degree}", "--x=1", "{degree}"], &["a", "word", "--x=1"]);
        check(&["a", "--both={lr},{degree}"], &["a"]);
    }
}
