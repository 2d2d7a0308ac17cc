//! From text to tree, by recursive descent: one function a level, from what binds least to what binds most.

use super::{Expression, Infix};

/// Deeper nesting is refused: the tree is walked by recursion.
const MOST_DEPTH: usize = 100;

/// `named`: what a name stands for, in the words of a message: `a parameter`.
///
/// # Errors
/// In words: what was found, where, and what was expected.
pub(super) fn expression(text: &str, named: &str) -> Result<Expression, String> {
    let mut parser = Parser { text, at: 0, depth: 0, n_parts: 0, named };
    let expression = parser.infix(0)?;
    match parser.rest().is_empty() {
        true => Ok(expression),
        false => Err(parser.expected("an operator")),
    }
}

/// What stands on one level, from the loosest on; each is read from left to right, but `^` from right to left.
const LEVELS: [&[Infix]; 6] = [
    &[Infix::Or],
    &[Infix::And],
    &[Infix::AtMost, Infix::Below, Infix::AtLeast, Infix::Above, Infix::Equal, Infix::Unequal, Infix::Contains],
    &[Infix::Plus, Infix::Minus],
    &[Infix::Times, Infix::Over],
    &[Infix::Power],
];
/// `not` binds looser than a comparison.
const COMPARISON: usize = 2;
/// A minus binds looser than a power.
const POWER: usize = 5;

/// More values of a function are a slip.
const MOST_VALUES: usize = 100;
/// Names, numbers, texts and calls in all: rows of operators nest as brackets do.
const MOST_PARTS: usize = 500;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    n_parts: usize,
    named: &'a str,
}

impl<'a> Parser<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn expected(&mut self, what: &str) -> String {
        let found: String = self.rest().chars().take(12).collect();
        let place = self.text[..self.at].chars().count() + 1;
        match found.is_empty() {
            true => format!("ends where {what} is expected"),
            false => format!("has `{found}` at character {place} where {what} is expected"),
        }
    }

    /// Takes a sign or a word, where it stands next.
    fn take(&mut self, sign: &str) -> bool {
        let rest = self.rest();
        let is_word = sign.starts_with(|letter: char| letter.is_ascii_alphabetic());
        let found = rest.starts_with(sign) && !(is_word && rest[sign.len()..].starts_with(is_of_name));
        if found {
            self.at += sign.len();
        }
        found
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(format!("is nested more than {MOST_DEPTH} deep"));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn infix(&mut self, level: usize) -> Result<Expression, String> {
        if level == LEVELS.len() {
            return self.atom();
        }
        if level == COMPARISON && self.take("not") {
            return Ok(Expression::Not(Box::new(self.deeper(|parser| parser.infix(level))?)));
        }
        if level == POWER && self.take("-") {
            return Ok(Expression::Negative(Box::new(self.deeper(|parser| parser.infix(level))?)));
        }
        let mut left = self.infix(level + 1)?;
        let mut n_chained = 0;
        while let Some((infix, _)) =
            Infix::ALL.into_iter().find(|(infix, sign)| LEVELS[level].contains(infix) && self.take(sign))
        {
            n_chained += 1;
            if level == COMPARISON && n_chained > 1 {
                return Err("compares more than two values at once: join comparisons by `and`".to_string());
            }
            if n_chained > MOST_DEPTH {
                return Err(format!("has more than {MOST_DEPTH} operators in a row"));
            }
            let right = match level {
                POWER => self.deeper(|parser| parser.infix(level))?,
                _ => self.infix(level + 1)?,
            };
            left = Expression::Infix(Box::new(left), infix, Box::new(right));
        }
        if level == COMPARISON && n_chained == 0 && self.take("is") {
            let is_not = self.take("not");
            if !self.take("null") {
                return Err(self.expected("`null`"));
            }
            let null = Expression::Null(Box::new(left));
            return Ok(if is_not { Expression::Not(Box::new(null)) } else { null });
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Expression, String> {
        self.n_parts += 1;
        if self.n_parts > MOST_PARTS {
            return Err(format!("has more than {MOST_PARTS} parts"));
        }
        if self.take("(") {
            let inner = self.deeper(|parser| parser.infix(0))?;
            return if self.take(")") { Ok(inner) } else { Err(self.expected("`)`")) };
        }
        for quote in ['\'', '"', '`'] {
            if self.rest().starts_with(quote) {
                return self.quoted(quote);
            }
        }
        let rest = self.rest();
        if rest.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
            return self.number();
        }
        let name: &str = &rest[..rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.expected(&format!("{}, a number or a text", self.named)));
        }
        self.at += name.len();
        if self.take("(") {
            return self.call(name);
        }
        Ok(match name {
            "true" => Expression::Bool(true),
            "false" => Expression::Bool(false),
            _ => Expression::Name(name.to_string()),
        })
    }

    fn quoted(&mut self, quote: char) -> Result<Expression, String> {
        let rest = &self.rest()[1..];
        let end = rest.find(quote).ok_or_else(|| format!("has a {quote} that is never closed"))?;
        self.at += end + 2;
        let text = rest[..end].to_string();
        Ok(if quote == '`' { Expression::Name(text) } else { Expression::Text(text) })
    }

    fn number(&mut self) -> Result<Expression, String> {
        let rest = self.rest();
        let mut previous = ' ';
        let belongs = |letter: char| {
            let is_sign_of_exponent = matches!(letter, '+' | '-') && matches!(previous, 'e' | 'E');
            previous = letter;
            letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E') || is_sign_of_exponent
        };
        let mut belongs = belongs;
        let end = rest.find(|letter| !belongs(letter)).unwrap_or(rest.len());
        let number = rest[..end].parse().map_err(|_| self.expected("a number"))?;
        self.at += end;
        Ok(Expression::Number(number))
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let mut values = Vec::new();
        if self.take(")") {
            return Ok(Expression::Call(name.to_string(), values));
        }
        loop {
            values.push(self.deeper(|parser| parser.infix(0))?);
            if values.len() > MOST_VALUES {
                return Err(format!("gives `{name}` more than {MOST_VALUES} values"));
            }
            if self.take(")") {
                return Ok(Expression::Call(name.to_string(), values));
            }
            if !self.take(",") {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.'
}
