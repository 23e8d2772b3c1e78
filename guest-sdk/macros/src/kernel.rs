//! `kernel!`: finds the text, has it checked, and writes the value that the SDK works with.

use crate::check::{self, Checked, Refusal};
use proc_macro2::TokenStream;
use quote::quote;
use std::path::Path;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Token};

/// `["inline"] TEXT_OR_PATH, ENTRY_POINT [,]`
struct Input {
    inline: bool,
    source: LitStr,
    entry_point: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let inline = input.peek(Ident);
        if inline {
            let word: Ident = input.parse()?;
            if word != "inline" {
                return Err(Error::new(word.span(), USAGE));
            }
        }
        let usage = |error: Error| Error::new(error.span(), USAGE);
        let source = input.parse().map_err(usage)?;
        input.parse::<Token![,]>().map_err(usage)?;
        let entry_point = input.parse().map_err(usage)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(USAGE));
        }
        Ok(Self { inline, source, entry_point })
    }
}

const USAGE: &str = "write `kernel!(\"kernels/blur.wgsl\", \"main\")`: a file beside Cargo.toml, or `inline` and the text \
                     itself, then the name of a compute entry point";

/// Turns the macro's input into an expression of type `samebit_guest::Kernel`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream, Error> {
    let input: Input = syn::parse2(input)?;
    let (path, text, tokens) = locate(&input)?;
    let checked =
        check::check(&text, &input.entry_point.value()).map_err(|refusal| explain(&input, &path, &text, &refusal))?;
    Ok(write(&path, &tokens, &input.entry_point, &checked))
}

/// The name for messages, the text, and the tokens that bring the text into the program.
fn locate(input: &Input) -> Result<(String, String, TokenStream), Error> {
    let source = &input.source;
    if input.inline {
        let text = source.value();
        return Ok(("inline kernel".to_owned(), text.clone(), quote!(#text)));
    }
    let path = source.value();
    let folder = std::env::var("CARGO_MANIFEST_DIR")
        .map_err(|_| Error::new(source.span(), "CARGO_MANIFEST_DIR is not set: build the job with cargo"))?;
    let text = std::fs::read_to_string(Path::new(&folder).join(&path)).map_err(|error| {
        Error::new(source.span(), format!("cannot read {path}: {error}; the path is relative to {folder}"))
    })?;
    // `include_str!` also tells cargo to rebuild when the file changes.
    let from_root = format!("/{path}");
    Ok((path, text, quote!(::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #from_root)))))
}

fn explain(input: &Input, path: &str, text: &str, refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Text(fault) => Error::new(input.source.span(), fault.render(path, text)),
        Refusal::EntryPoint(others) => {
            let wanted = input.entry_point.value();
            let hint = if others.is_empty() {
                "it has none at all; mark one with `@compute @workgroup_size(…)`".to_owned()
            } else {
                format!("it has {}", others.join(", "))
            };
            Error::new(input.entry_point.span(), format!("{path} has no compute entry point `{wanted}`: {hint}"))
        }
    }
}

fn write(path: &str, text: &TokenStream, entry_point: &LitStr, checked: &Checked) -> TokenStream {
    let workgroup_size = match checked.workgroup_size {
        Some([x, y, z]) => quote!(::core::option::Option::Some([#x, #y, #z])),
        None => quote!(::core::option::Option::None),
    };
    let bindings = checked.bindings.iter().map(|binding| {
        let check::Binding { group, binding, name, writable } = binding;
        quote!(::samebit_guest::kernel::Variable { group: #group, binding: #binding, name: #name, writable: #writable })
    });
    let constants = checked.constants.iter().map(|constant| {
        let check::Constant { name, id, required } = constant;
        let id = match id {
            Some(id) => quote!(::core::option::Option::Some(#id)),
            None => quote!(::core::option::Option::None),
        };
        quote!(::samebit_guest::kernel::Constant { name: #name, id: #id, required: #required })
    });
    quote! {
        ::samebit_guest::Kernel::new({
            static SOURCE: ::samebit_guest::kernel::Source = ::samebit_guest::kernel::Source {
                path: #path,
                wgsl: #text,
                entry_point: #entry_point,
                workgroup_size: #workgroup_size,
                variables: &[#(#bindings),*],
                constants: &[#(#constants),*],
            };
            &SOURCE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(input: TokenStream) -> String {
        expand(input).expect_err("is refused").to_string()
    }

    #[test]
    fn writes_what_was_checked() {
        let expanded = expand(quote!(inline "@compute @workgroup_size(8) fn main() {}", "main",)).expect("is valid");
        let expanded = expanded.to_string();
        assert!(expanded.contains("Some ([8u32 , 1u32 , 1u32])"), "{expanded}");
        assert!(expanded.contains("@compute @workgroup_size(8)"), "{expanded}");
    }

    #[test]
    fn explains_itself() {
        assert_eq!(error_of(quote!("kernels/a.wgsl")), USAGE);
        assert_eq!(error_of(quote!(outline "", "main")), USAGE);
        assert_eq!(error_of(quote!(inline "", "main", 3)), USAGE);
        let error = error_of(quote!("kernels/missing.wgsl", "main"));
        assert!(error.starts_with("cannot read kernels/missing.wgsl: "), "{error}");
    }

    #[test]
    fn reports_errors_at_their_line() {
        let error = error_of(quote!(inline "@compute @workgroup_size(1)\nfn main() {\n  return 1;\n}", "main"));
        assert!(error.starts_with("inline kernel:3:"), "{error}");
    }

    #[test]
    fn lists_entry_points() {
        let error = error_of(quote!(inline "@compute @workgroup_size(1) fn a() {}", "main"));
        assert_eq!(error, "inline kernel has no compute entry point `main`: it has a");
        assert!(error_of(quote!(inline "", "main")).contains("none at all"));
    }
}
