//! `#[derive(Tunable)]`: the fields of a struct as a search space. `#[derive(ParamChoice)]`: an enum as the choices of a parameter.
//!
//! The generated code names the search crate as `::medalist::search`; `#[tunable(crate = medalist_search)]` names it otherwise.

mod attributes;
mod tunable;
mod choice;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Tunable` for a struct with named fields.
///
/// Each field has a `#[param(..)]`, and its doc comment is the help text:
///
/// - a range `1e-3..=1e3` for floats, `1..=50` for integers; `choices = ["a", "b"]` for a `String`; nothing for a `bool` or an enum that implements `ParamChoice`;
/// - `log`: search the logarithm; `step = 0.1`: only these steps; `ordered`: neighbouring choices are alike;
/// - `default = 1.0`: without it the centre of the range (of its logarithm), the first choice, `false`;
/// - `levels = [0.1, 1.0]`: what a grid tries; `staged`: one fit answers for all levels;
/// - `fidelity`: the integer is a budget of epochs, trees or rows, which pruning on steps cuts short;
/// - `when = "kernel == rbf"`, `when = "kernel in [rbf, poly]"`: where the parameter has an effect; may be repeated.
#[proc_macro_derive(Tunable, attributes(param, tunable))]
pub fn derive_tunable(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    tunable::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `ParamChoice` for an enum without fields: the choices are its variants in snake case.
#[proc_macro_derive(ParamChoice, attributes(tunable))]
pub fn derive_param_choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
