//! `#[compare]`: the glue between one Rust function and the `compare` export of the world `comparing`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, FnArg, ItemFn, ReturnType};

/// What the function has to look like, for messages.
const SHAPE: &str = "a comparison is `fn compare(name: &str) -> Result<(), Error>`";

/// Keeps the function and adds the export that calls it.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream, Error> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(attribute, "`#[compare]` takes no arguments"));
    }
    let function: ItemFn = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), format!("`#[compare]` goes on a function: {SHAPE}")))?;
    check(&function)?;
    let name = &function.sig.ident;
    Ok(quote! {
        #function

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Comparing;
            impl ::samebit_guest::bindings::comparing::Guest for Comparing {
                fn compare(
                    name: ::std::string::String,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    #name(&name).map_err(|error| ::std::string::ToString::to_string(&error))
                }
            }
            ::samebit_guest::bindings::comparing::export!(Comparing with_types_in ::samebit_guest::bindings::comparing);
        };

        // Nothing exports the function on the author's machine; its tests call it.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = #name;
        };
    })
}

/// Refuses what could not be a comparison.
fn check(function: &ItemFn) -> Result<(), Error> {
    let signature = &function.sig;
    if signature.asyncness.is_some() || !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(signature, format!("it is neither async nor generic: {SHAPE}")));
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(Error::new_spanned(&signature.ident, format!("it returns a result: {SHAPE}")));
    }
    match (signature.inputs.first(), signature.inputs.len()) {
        (Some(FnArg::Typed(_)), 1) => Ok(()),
        _ => Err(Error::new_spanned(&signature.ident, format!("it takes the output's name and nothing else: {SHAPE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_function_and_exports_it() {
        let item = quote!(
            fn near(name: &str) -> Result<(), Error> {
                Ok(())
            }
        );
        let expanded = expand(TokenStream::new(), item.clone()).expect("is a comparison").to_string();
        assert!(expanded.starts_with(&item.to_string()), "{expanded}");
        assert!(expanded.contains("near (& name) . map_err"), "{expanded}");
    }

    #[test]
    fn refuses_other_shapes() {
        for (item, why) in [
            (
                quote!(
                    struct Near;
                ),
                "goes on a function",
            ),
            (
                quote!(
                    async fn near(name: &str) -> Result<(), E> {
                        Ok(())
                    }
                ),
                "neither async",
            ),
            (
                quote!(
                    fn near(name: &str) {}
                ),
                "returns a result",
            ),
            (
                quote!(
                    fn near() -> Result<(), E> {
                        Ok(())
                    }
                ),
                "the output's name",
            ),
            (
                quote!(
                    fn near(&self) -> Result<(), E> {
                        Ok(())
                    }
                ),
                "the output's name",
            ),
            (
                quote!(
                    fn near(a: &str, b: &str) -> Result<(), E> {
                        Ok(())
                    }
                ),
                "the output's name",
            ),
        ] {
            let error = expand(TokenStream::new(), item).expect_err("is refused").to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
