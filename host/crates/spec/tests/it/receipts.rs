//! Receipts: round trips, limits, and forgeries.

use samebit_spec::{
    ARGS_MAX, BlobRef, DecodeError, DeviceUsed, ENCODED_BYTES_MAX, Hash, HostKey, INPUTS_MAX, JobSpec,
    MEASURED_TEXT_BYTES_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, OUTPUTS_MAX, Outcome, RECEIPT_MAGIC, Receipt,
    ReceiptError, Signature, Status, Tolerance,
};

use crate::samples::{job, measured, name, outcome, outcomes, receipt, secret_key};

#[test]
fn receipts_round_trip() {
    for (name, outcome) in outcomes() {
        let receipt = Receipt::sign(job(), outcome, measured(), &secret_key(1));
        assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt), "{name}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = receipt().encode();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Receipt::decode(&flipped).is_err(), "bit {} of byte {}", bit % 8, bit / 8);
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = receipt().encode();
    for len in 0..bytes.len() {
        let error = Receipt::decode(&bytes[..len]).expect_err("cut short");
        let expected = if len < RECEIPT_MAGIC.len() {
            ReceiptError::NotAReceipt
        } else {
            ReceiptError::Decode(DecodeError::Malformed)
        };
        assert_eq!(error, expected, "{len} bytes");
    }
}

#[test]
fn another_host_cannot_take_over_a_receipt() {
    let (ours, theirs) = (receipt(), secret_key(1).public());
    let forged = Receipt { host: theirs, ..ours.clone() };
    assert_eq!(Receipt::decode(&forged.encode()), Err(ReceiptError::BadSignature(theirs)));
    let other = Receipt::sign(job(), outcome(), measured(), &secret_key(1));
    let swapped = Receipt { signature: other.signature, ..ours.clone() };
    assert_eq!(Receipt::decode(&swapped.encode()), Err(ReceiptError::BadSignature(ours.host)));
}

#[test]
fn a_key_of_small_order_signs_nothing() {
    // For the identity as key, R = S·B holds over every message: here S = 1, and R is the base point.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0x66; 64];
    signature[0] = 0x58;
    signature[32..].fill(0);
    signature[32] = 1;
    let host = HostKey::from_bytes(identity);
    let forged = Receipt { host, signature: Signature(signature), ..receipt() };
    assert_eq!(Receipt::decode(&forged.encode()), Err(ReceiptError::BadSignature(host)));
}

#[test]
fn the_largest_receipt_fits() {
    let long = |index: usize| name(&format!("{index:0>width$}", width = NAME_BYTES_MAX));
    let blob = BlobRef { size_bytes: u64::MAX, ..BlobRef::of(b"") };
    let args = vec!["x".repeat(64); ARGS_MAX];
    let inputs = (0..INPUTS_MAX).map(|index| (long(index), blob)).collect();
    let tolerances = (0..OUTPUTS_MAX).map(|index| (long(index), Tolerance::Absolute(f32::MAX.to_bits()))).collect();
    let job = JobSpec { args, inputs, tolerances, ..job() };
    let status = Status::Failed("x".repeat(MESSAGE_BYTES_MAX));
    let outputs = (0..OUTPUTS_MAX).map(|index| (long(index), blob)).collect();
    let receipt = Receipt::sign(job, Outcome { status, outputs, ..outcome() }, measured(), &secret_key(0));
    let bytes = receipt.encode();
    assert!(bytes.len() < ENCODED_BYTES_MAX, "{} bytes", bytes.len());
    assert_eq!(Receipt::decode(&bytes), Ok(receipt));
}

#[test]
fn measured_texts_are_cut_when_signed() {
    let mut long = measured();
    long.program = "é".repeat(MEASURED_TEXT_BYTES_MAX);
    let receipt = Receipt::sign(job(), outcome(), long.clone(), &secret_key(0));
    assert_eq!(receipt.measured.program, "é".repeat(MEASURED_TEXT_BYTES_MAX / 2));
    assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt.clone()));
    let kept = Receipt { measured: long, ..receipt };
    assert!(matches!(Receipt::decode(&kept.encode()), Err(ReceiptError::Decode(DecodeError::Invalid(_)))));
}

#[test]
fn a_class_outlives_the_cut() {
    let mut long = measured();
    let device = long.device.as_mut().expect("it has one");
    device.name = "é".repeat(MEASURED_TEXT_BYTES_MAX);
    let (before, other) = (device.clone(), DeviceUsed { driver: "another".to_owned(), ..device.clone() });
    let signed = Receipt::sign(job(), outcome(), long, &secret_key(0)).measured.device.expect("it has one");
    assert_eq!(signed.class(), before.class());
    assert_ne!(signed.class(), other.class());
    let proven = DeviceUsed { battery: Some(Hash::of(b"")), ..before.clone() };
    assert_eq!(proven.class(), before.class(), "a battery does not change what a native job gives");
}

#[test]
fn json_shows_keys_and_hashes_as_text() {
    let receipt = receipt();
    let json = serde_json::to_string(&receipt).expect("plain data");
    assert!(json.contains(&format!("\"host\":\"{}\"", receipt.host)));
    assert_eq!(serde_json::from_str::<Receipt>(&json).expect("the same"), receipt);
}
