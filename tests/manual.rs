//! Responsible for: the pages of the manual are run, and say what happens; all of them are in its index.
//! Not for: how examples are read; see `support::examples` and `readme`.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::examples::{Block, blocks, run_document};

/// Kinds of blocks that are shown and not run: what needs a hub, another shell, or is data.
const NOT_RUN: [&str; 6] = ["azurecli", "powershell", "json", "csv", "toml", "text"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manual")
}

/// The pages, without the index, by name.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(root()).expect("the manual is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    let mut pages: Vec<String> = names.filter(|name| name.ends_with(".md") && name != "README.md").collect();
    pages.sort();
    pages
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).expect("a page can be read")
}

#[test]
fn every_page_says_what_happens() {
    let pages = pages();
    assert!(!pages.is_empty());
    for page in pages {
        let count = run_document(&root().join(&page));
        assert!(count > 0, "{page} has no example that is run");
    }
}

#[test]
fn the_index_names_every_page_and_no_other() {
    let index = read("README.md");
    let mut linked: Vec<String> = index
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect();
    linked.retain(|target| target.ends_with(".md") && !target.contains('/'));
    linked.sort();
    linked.dedup();
    assert_eq!(linked, pages());
    let readme = fs::read_to_string(root().join("../../README.md")).expect("the README");
    assert!(readme.contains("](docs/manual/README.md)"), "the README leads to the manual");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = read(&page);
        for (target, _) in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let path = target.split('#').next().unwrap_or_default();
            let there = target.starts_with("https://") || path.is_empty() || root().join(path).exists();
            assert!(there, "{page}: {target}");
        }
    }
}

#[test]
fn what_can_be_run_is_run() {
    for page in pages() {
        for block in blocks(&read(&page)) {
            let Block::Shown { kind, content } = block else { continue };
            assert!(NOT_RUN.contains(&kind.as_str()), "{page}: a block of kind {kind:?}");
            let runs = content.lines().any(|line| line.starts_with("$ ") || line.starts_with("hubmill "));
            assert!(!runs || kind == "powershell", "{page}: this can be run, so it should be ```console:\n{content}");
            let azure = content.lines().any(|line| line.trim_start().starts_with("az "));
            assert!(azure || kind != "azurecli", "{page}: nothing of the Azure CLI:\n{content}");
        }
    }
}
