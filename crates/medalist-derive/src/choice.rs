//! The code that `#[derive(ParamChoice)]` writes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Result};

use crate::attributes::search_crate;

pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "ParamChoice is derived for enums; for a struct derive Tunable"));
    };
    if data.variants.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum without variants leaves nothing to choose"));
    }
    let search = search_crate(&input.attrs)?;
    let (mut names, mut variants) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(
                variant.fields.span(),
                "a choice has no fields: make them parameters with a `when`",
            ));
        }
        names.push(snake_case(&variant.ident.to_string()));
        variants.push(&variant.ident);
    }
    let ident = &input.ident;
    Ok(quote! {
        impl #search::ParamChoice for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn from_name(name: &str) -> ::core::option::Option<Self> {
                match name {
                    #(#names => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

/// `SquaredError` to `squared_error`; runs of capitals stay together (`RBF` to `rbf`).
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase() && letters[i - 1] != '_';
        let before_small = i > 0 && letters[i - 1] != '_' && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_named_in_snake_case() {
        for (variant, name) in
            [("Rbf", "rbf"), ("SquaredError", "squared_error"), ("RBF", "rbf"), ("L1Loss", "l1_loss")]
        {
            assert_eq!(snake_case(variant), name);
        }
    }

    #[test]
    fn a_variant_with_fields_is_refused() {
        let input: DeriveInput = syn::parse_quote! { enum Kernel { Rbf(f64) } };
        let message = expand(&input).err().map(|error| error.to_string());
        assert_eq!(message.as_deref(), Some("a choice has no fields: make them parameters with a `when`"));
    }
}
