//! What `#[param(..)]` and `#[tunable(..)]` say.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Meta, Path, Result, Token};

/// The contents of a field's `#[param(..)]`.
#[derive(Default)]
pub struct Param {
    pub range: Option<(Expr, Expr)>,
    pub log: bool,
    pub ordered: bool,
    pub staged: bool,
    pub fidelity: bool,
    pub step: Option<Expr>,
    pub default: Option<Expr>,
    pub levels: Option<Vec<Expr>>,
    pub choices: Option<Vec<Expr>>,
    pub conditions: Vec<When>,
}

/// `parameter == value`, or `parameter in [value, value]`.
pub struct When {
    pub parameter: String,
    pub values: Vec<String>,
    pub text: LitStr,
}

/// One part of `#[param(..)]`: a range, a word, or `name = value`.
enum Part {
    Range(Expr),
    Word(syn::Ident),
    Named(syn::Ident, Expr),
}

impl Parse for Part {
    fn parse(input: ParseStream) -> Result<Self> {
        if input.peek(syn::Ident) && !input.peek2(Token![..=]) && !input.peek2(Token![..]) && !input.peek2(Token![::]) {
            let word: syn::Ident = input.parse()?;
            if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                return Ok(Part::Named(word, input.parse()?));
            }
            return Ok(Part::Word(word));
        }
        Ok(Part::Range(input.parse()?))
    }
}

impl Param {
    /// The field's `#[param(..)]`; none when it has none.
    pub fn of(attributes: &[Attribute]) -> Result<Option<Param>> {
        let mut found = None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("param")) {
            if found.is_some() {
                return Err(Error::new(attribute.span(), "a field has one #[param(..)]: join the two"));
            }
            found = Some(Param::read(attribute)?);
        }
        Ok(found)
    }

    fn read(attribute: &Attribute) -> Result<Param> {
        let mut param = Param::default();
        if matches!(attribute.meta, Meta::Path(_)) {
            return Ok(param);
        }
        for part in attribute.parse_args_with(Punctuated::<Part, Token![,]>::parse_terminated)? {
            match part {
                Part::Range(range) => param.set_range(range)?,
                Part::Word(word) => match word.to_string().as_str() {
                    "log" => param.log = true,
                    "ordered" => param.ordered = true,
                    "staged" => param.staged = true,
                    "fidelity" => param.fidelity = true,
                    other => {
                        let known = "known are log, ordered, staged, fidelity, and step, default, levels, choices, when with `= value`";
                        return Err(Error::new(word.span(), format!("`{other}` means nothing here; {known}")));
                    }
                },
                Part::Named(name, value) => param.set(&name, value)?,
            }
        }
        Ok(param)
    }

    fn set_range(&mut self, range: Expr) -> Result<()> {
        let Expr::Range(range) = &range else {
            return Err(Error::new(range.span(), "expected a range `low..=high`, a word, or `name = value`"));
        };
        if let syn::RangeLimits::HalfOpen(_) = range.limits {
            return Err(Error::new(range.limits.span(), "both ends belong to a parameter's range: write `..=`"));
        }
        match (&range.start, &range.end) {
            (Some(low), Some(high)) => self.range = Some((Expr::clone(low), Expr::clone(high))),
            _ => return Err(Error::new(range.span(), "a parameter's range has two ends: `low..=high`")),
        }
        Ok(())
    }

    fn set(&mut self, name: &syn::Ident, value: Expr) -> Result<()> {
        match name.to_string().as_str() {
            "step" => self.step = Some(value),
            "default" => self.default = Some(value),
            "levels" => self.levels = Some(list(value)?),
            "choices" => self.choices = Some(list(value)?),
            "when" => match value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => self.conditions.push(When::read(text)?),
                other => return Err(Error::new(other.span(), "expected a text: `when = \"kernel == rbf\"`")),
            },
            other => {
                let known = "known are step, default, levels, choices, when";
                return Err(Error::new(name.span(), format!("`{other}` means nothing here; {known}")));
            }
        }
        Ok(())
    }
}

impl When {
    fn read(text: LitStr) -> Result<When> {
        let value = text.value();
        let fault = || Error::new(text.span(), "expected `parameter == value` or `parameter in [value, value]`");
        let (parameter, values) = match value.split_once("==") {
            Some((parameter, value)) => (parameter, vec![value]),
            None => {
                let (parameter, values) = value.split_once(" in ").ok_or_else(fault)?;
                let values = values.trim().strip_prefix('[').and_then(|values| values.strip_suffix(']'));
                (parameter, values.ok_or_else(fault)?.split(',').collect())
            }
        };
        let values: Vec<String> = values.iter().map(|value| value.trim().to_string()).collect();
        let parameter = parameter.trim().to_string();
        if parameter.is_empty() || parameter.contains(' ') || values.iter().any(String::is_empty) {
            return Err(fault());
        }
        Ok(When { parameter, values, text })
    }
}

/// `#[tunable(crate = path)]`, or where the root package has the search crate.
pub fn search_crate(attributes: &[Attribute]) -> Result<Path> {
    let mut path: Path = syn::parse_quote!(::medalist::search);
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("tunable")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected `crate = path`"));
            }
            path = meta.value()?.call(Path::parse_mod_style)?;
            Ok(())
        })?;
    }
    Ok(path)
}

/// The doc comment as one text: lines joined by spaces, paragraphs kept apart.
pub fn doc(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(doc) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &doc.value else { continue };
        let line = line.value();
        let line = line.trim();
        if line.is_empty() && !text.is_empty() {
            text.push('\n');
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text.trim_end().to_string()
}

fn list(value: Expr) -> Result<Vec<Expr>> {
    match value {
        Expr::Array(array) if !array.elems.is_empty() => Ok(array.elems.into_iter().collect()),
        other => Err(Error::new(other.span(), "expected a list that is not empty: `[a, b]`")),
    }
}
