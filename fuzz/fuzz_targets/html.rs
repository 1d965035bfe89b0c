//! Pages: main text, what they say of themselves, and the document made of it.

#![no_main]

use garrison::input::{Content, Fields, Raw};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    garrison_fuzz::document(Raw {
        record: 0,
        byte_offset: None,
        fields: Fields {
            url: Some("https://a.example/2024/05/19/story.html".to_owned()),
            ..Fields::default()
        },
        content: Content::Html {
            bytes: bytes.to_vec(),
            charset: None,
        },
    });
});
