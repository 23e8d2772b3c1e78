//! `#[job]`: the glue between one Rust function and the `run` export of the world `guest`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, FnArg, ItemFn, ReturnType};

/// What the function has to look like, for messages.
const SHAPE: &str = "a job is `fn run(args: Vec<String>) -> Result<(), Error>`; `args` may be left out";

/// Keeps the function and adds the export that calls it.
pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream, Error> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(attribute, "`#[job]` takes no arguments"));
    }
    let function: ItemFn =
        syn::parse2(item).map_err(|error| Error::new(error.span(), format!("`#[job]` goes on a function: {SHAPE}")))?;
    let takes_arguments = check(&function)?;

    let name = &function.sig.ident;
    let call = if takes_arguments { quote!(#name(args)) } else { quote!(#name()) };
    let bind = if takes_arguments { quote!(args) } else { quote!(_) };
    Ok(quote! {
        #function

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Job;
            impl ::samebit_guest::bindings::Guest for Job {
                fn run(
                    #bind: ::std::vec::Vec<::std::string::String>,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    #call.map_err(|error| ::std::string::ToString::to_string(&error))
                }
            }
            ::samebit_guest::bindings::export!(Job with_types_in ::samebit_guest::bindings);
        };

        // Nothing exports the function on the author's machine; its tests call it.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = #name;
        };
    })
}

/// Refuses what could not be a job. Says whether the function takes the arguments.
fn check(function: &ItemFn) -> Result<bool, Error> {
    let signature = &function.sig;
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new_spanned(asyncness, format!("a job is not async: {SHAPE}")));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, format!("a job has no generic parameters: {SHAPE}")));
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(Error::new_spanned(&signature.ident, format!("a job returns a result: {SHAPE}")));
    }
    let mut inputs = signature.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (None, _) => Ok(false),
        (Some(FnArg::Typed(_)), None) => Ok(true),
        (Some(FnArg::Receiver(receiver)), _) => {
            Err(Error::new_spanned(receiver, format!("a job is no method: {SHAPE}")))
        }
        (_, Some(extra)) => Err(Error::new_spanned(extra, format!("a job takes one parameter: {SHAPE}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(item: TokenStream) -> String {
        expand(TokenStream::new(), item).expect_err("is refused").to_string()
    }

    #[test]
    fn keeps_the_function_and_exports_it() {
        let item = quote!(
            fn run(args: Vec<String>) -> Result<(), Error> {
                Ok(())
            }
        );
        let expanded = expand(TokenStream::new(), item.clone()).expect("is a job").to_string();
        assert!(expanded.starts_with(&item.to_string()), "{expanded}");
        assert!(expanded.contains("run (args) . map_err"), "{expanded}");

        let without = expand(
            TokenStream::new(),
            quote!(
                fn run() -> Result<(), Error> {
                    Ok(())
                }
            ),
        )
        .expect("is a job");
        assert!(without.to_string().contains("run () . map_err"), "{without}");
    }

    #[test]
    fn refuses_other_shapes() {
        assert!(
            error_of(quote!(
                struct Job;
            ))
            .contains("goes on a function")
        );
        assert!(
            error_of(quote!(
                async fn run() -> Result<(), E> {
                    Ok(())
                }
            ))
            .contains("not async")
        );
        assert!(
            error_of(quote!(
                fn run<T>() -> Result<(), E> {
                    Ok(())
                }
            ))
            .contains("generic")
        );
        assert!(
            error_of(quote!(
                fn run() {}
            ))
            .contains("returns a result")
        );
        assert!(
            error_of(quote!(
                fn run(a: A, b: B) -> Result<(), E> {
                    Ok(())
                }
            ))
            .contains("one parameter")
        );
        assert!(
            error_of(quote!(
                fn run(&self) -> Result<(), E> {
                    Ok(())
                }
            ))
            .contains("no method")
        );
        let error = expand(
            quote!(fast),
            quote!(
                fn run() -> Result<(), E> {
                    Ok(())
                }
            ),
        )
        .expect_err("is refused");
        assert!(error.to_string().contains("no arguments"));
    }
}
