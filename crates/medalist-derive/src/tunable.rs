//! The code that `#[derive(Tunable)]` writes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Ident, Lit, Path, Result, Type};

use crate::attributes::{Param, When, doc, search_crate};

/// What a field's type says about its domain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float,
    Int,
    Bool,
    Text,
    /// Some type that must implement `ParamChoice`.
    Choice,
}

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "Tunable is derived for structs; for an enum derive ParamChoice"));
    };
    let fields: Vec<&Field> = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(Error::new(fields.span(), "a parameter needs a name: use a struct with named fields"));
        }
    };
    let search = search_crate(&input.attrs)?;
    let mut earlier: Vec<String> = Vec::new();
    let (mut parameters, mut reads) = (Vec::new(), Vec::new());
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let name = ident.to_string().trim_start_matches("r#").to_string();
        let missing =
            || Error::new(field.span(), format!("field `{name}` has no #[param(..)]: say what values it may take"));
        let param = Param::of(&field.attrs)?.ok_or_else(missing)?;
        parameters.push(parameter(&search, field, &name, &param, &earlier)?);
        // The field's own span, so that a type that cannot be a parameter is shown at the field.
        reads.push(quote_spanned! {field.ty.span()=> #ident: space.field(params, #name)? });
        earlier.push(name);
    }
    let ident: &Ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        impl #impl_generics #search::Tunable for #ident #ty_generics #where_clause {
            fn space() -> #search::SearchSpace {
                #search::SearchSpace::new()#(.with(#parameters))*
            }

            fn from_params(params: &#search::Params) -> #search::Result<Self> {
                let space = <Self as #search::Tunable>::space();
                space.check_names(params)?;
                ::core::result::Result::Ok(Self { #(#reads),* })
            }
        }
    })
}

/// `Parameter::float("alpha", 0.1, 10.0).log()...`
fn parameter(search: &Path, field: &Field, name: &str, param: &Param, earlier: &[String]) -> Result<TokenStream> {
    let (ty, kind) = (&field.ty, kind(&field.ty));
    check(field, kind, param)?;
    let mut built = match (kind, &param.range, &param.choices) {
        (Kind::Float, Some((low, high)), _) => {
            quote! { #search::Parameter::float(#name, (#low) as f64, (#high) as f64) }
        }
        (Kind::Int, Some((low, high)), _) => {
            quote! { #search::Parameter::int(#name, (#low) as i64, (#high) as i64) }
        }
        (Kind::Bool, ..) => quote! { #search::Parameter::bool(#name) },
        (_, _, Some(choices)) => {
            let choices = choices.iter().map(|choice| typed(kind, choice));
            quote! { #search::Parameter::choice(#name, [#(#choices),*]) }
        }
        _ => quote_spanned! {ty.span()=>
            #search::Parameter::choice(#name, <#ty as #search::ParamChoice>::NAMES.iter().copied())
        },
    };
    if param.log {
        built.extend(quote! { .log() });
    }
    if let Some(step) = &param.step {
        built.extend(quote! { .step((#step) as f64) });
    }
    if param.ordered {
        built.extend(quote! { .ordered() });
    }
    if let Some(default) = &param.default {
        let default = typed(kind, default);
        built.extend(quote! { .default(#default) });
    }
    if let Some(levels) = &param.levels {
        let levels = levels.iter().map(|level| typed(kind, level));
        built.extend(quote! { .levels([#(#levels),*]) });
    }
    if param.staged {
        built.extend(quote! { .staged() });
    }
    if param.fidelity {
        built.extend(quote! { .fidelity() });
    }
    for When { parameter, values, text } in &param.conditions {
        if !earlier.contains(parameter) {
            let message =
                format!("`{parameter}` is not an earlier field: a condition refers to a field above this one");
            return Err(Error::new(text.span(), message));
        }
        let values = values.iter().map(|value| condition_value(search, value));
        built.extend(quote! { .when(#parameter, [#(#values),*]) });
    }
    let help = doc(&field.attrs);
    if !help.is_empty() {
        built.extend(quote! { .help(#help) });
    }
    Ok(built)
}

/// Whether the attribute fits the field's type, in words that name the remedy.
fn check(field: &Field, kind: Kind, param: &Param) -> Result<()> {
    let fault = |message: &str| Err(Error::new(field.ty.span(), message));
    let is_number = matches!(kind, Kind::Float | Kind::Int);
    match (&param.range, &param.choices) {
        (Some(_), Some(_)) => return fault("a parameter has a range or choices, not both"),
        (Some((low, _)), None) if !is_number => {
            return Err(Error::new(low.span(), "only numbers have a range; use `choices = [..]`"));
        }
        (None, None) if is_number => return fault("a number needs a range: #[param(low..=high)]"),
        (None, None) if kind == Kind::Text => {
            return fault("a text needs its choices: #[param(choices = [\"a\", \"b\"])]");
        }
        (None, Some(_)) if matches!(kind, Kind::Bool | Kind::Choice) => {
            return fault("the type says what the choices are: leave `choices` out");
        }
        _ => {}
    }
    if param.range.is_none() && (param.log || param.step.is_some()) {
        return fault("`log` and `step` belong to a range");
    }
    if param.log && param.step.is_some() {
        return fault("a range is logarithmic or has a step, not both");
    }
    if param.staged && (param.levels.is_none() || !is_number) {
        return fault("a staged parameter is a number whose `levels = [..]` are its stages");
    }
    if param.fidelity && (kind != Kind::Int || param.staged) {
        return fault("a fidelity is an integer whose values are fitted one by one, not staged");
    }
    if let Some((low, high)) = &param.range {
        let (from, to) = (literal(low), literal(high));
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Error::new(low.span(), "the range is empty: its low end is above its high end"));
        }
        if param.log && from.is_some_and(|from| from <= 0.0) {
            return Err(Error::new(low.span(), "a logarithmic range begins above 0"));
        }
        for value in param.default.iter().chain(param.levels.iter().flatten()) {
            if let (Some(value_is), Some(from), Some(to)) = (literal(value), from, to)
                && !(from..=to).contains(&value_is)
            {
                return Err(Error::new(value.span(), "this lies outside of the range"));
            }
        }
    }
    Ok(())
}

fn kind(ty: &Type) -> Kind {
    let Type::Path(path) = ty else { return Kind::Choice };
    let Some(last) = path.path.segments.last() else { return Kind::Choice };
    match last.ident.to_string().as_str() {
        "f64" | "f32" => Kind::Float,
        "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => Kind::Int,
        "bool" => Kind::Bool,
        "String" => Kind::Text,
        _ => Kind::Choice,
    }
}

/// An expression as one of the types that a `Value` is made from.
fn typed(kind: Kind, value: &Expr) -> TokenStream {
    match kind {
        Kind::Float => quote! { (#value) as f64 },
        Kind::Int => quote! { (#value) as i64 },
        Kind::Bool | Kind::Text | Kind::Choice => quote! { #value },
    }
}

/// A number, `true`, `false` or a text, as it looks.
fn condition_value(search: &Path, text: &str) -> TokenStream {
    if let Ok(value) = text.parse::<bool>() {
        return quote! { #search::Value::Bool(#value) };
    }
    if let Ok(value) = text.parse::<i64>() {
        return quote! { #search::Value::Int(#value) };
    }
    if let Ok(value) = text.parse::<f64>() {
        return quote! { #search::Value::Float(#value) };
    }
    let text = text.trim_matches(['"', '\'']);
    quote! { #search::Value::Text(::std::string::String::from(#text)) }
}

/// The number that a literal stands for; none for other expressions.
fn literal(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Float(value), .. }) => value.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) => value.base10_parse().ok(),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => literal(&unary.expr).map(|value| -value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[track_caller]
    fn check_fault(input: DeriveInput, message: &str) {
        let error = expand(&input).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(message));
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        check_fault(parse_quote! { struct M { a: f64 } }, "field `a` has no #[param(..)]: say what values it may take");
        check_fault(parse_quote! { struct M(f64); }, "a parameter needs a name: use a struct with named fields");
        check_fault(parse_quote! { enum M { A } }, "Tunable is derived for structs; for an enum derive ParamChoice");
        for (param, message) in [
            (quote!(0.0..1.0), "both ends belong to a parameter's range: write `..=`"),
            (quote!(0.0..=1.0, log), "a logarithmic range begins above 0"),
            (quote!(2.0..=1.0), "the range is empty: its low end is above its high end"),
            (quote!(0.0..=1.0, default = 2.0), "this lies outside of the range"),
            (
                quote!(0.0..=1.0, defualt = 0.5),
                "`defualt` means nothing here; known are step, default, levels, choices, when",
            ),
            (quote!(0.0..=1.0, staged), "a staged parameter is a number whose `levels = [..]` are its stages"),
            (quote!(0.0..=1.0, fidelity), "a fidelity is an integer whose values are fitted one by one, not staged"),
            (quote!(0.1..=1.0, log, step = 0.1), "a range is logarithmic or has a step, not both"),
            (quote!(log), "a number needs a range: #[param(low..=high)]"),
            (quote!(0.0..=1.0, when = "a"), "expected `parameter == value` or `parameter in [value, value]`"),
            (
                quote!(0.0..=1.0, when = "b == 1"),
                "`b` is not an earlier field: a condition refers to a field above this one",
            ),
        ] {
            check_fault(parse_quote! { struct M { #[param(#param)] a: f64 } }, message);
        }
        check_fault(
            parse_quote! { struct M { #[param] a: String } },
            "a text needs its choices: #[param(choices = [\"a\", \"b\"])]",
        );
        check_fault(
            parse_quote! { struct M { #[param(1..=2)] a: bool } },
            "only numbers have a range; use `choices = [..]`",
        );
    }
}
