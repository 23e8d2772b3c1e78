//! What the document writes down is what is computed.

use super::listing::listing;
use samebit_wgsl::lowered::MathFunction;

#[test]
fn the_document_has_every_sequence() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/EXACT-functions.md");
    let document = std::fs::read_to_string(path).expect("the document is there");
    for function in MathFunction::ALL {
        let block = format!("```text\n{}```\n", listing(*function));
        assert!(document.contains(&block), "docs/EXACT-functions.md does not have this sequence:\n{block}");
    }
}
