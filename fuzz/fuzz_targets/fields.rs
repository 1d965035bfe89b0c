//! Records of JSON: as lines and as one value, whatever their fields are named and however they are nested.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in ["jsonl", "json"] {
        let whole = garrison_fuzz::read(format, "a.jsonl", bytes, u64::MAX);
        whole.0.into_iter().for_each(garrison_fuzz::document);
    }
    let whole = garrison_fuzz::read("jsonl", "a.jsonl", bytes, u64::MAX);
    assert_eq!(whole, garrison_fuzz::read("jsonl", "a.jsonl", bytes, 100));
});
