//! Responsible for: the presets, with what can be added to them.

use crate::support::{Folder, assert_answer, transform};
use crate::{becomes, q, rejects};

const EDGE: &str = "{'id':'e-1','eTag':'x','status':'enabled','authentication':{'type':'sas'},'capabilities':{'iotEdge':true},'deviceScope':'ms-azure-iot-edge://e-1-637'}";
const CHILD: &str = "{'id':'c','deviceScope':'ms-azure-iot-edge://e-1-637','status':'enabled','authentication':{'type':'sas'},'capabilities':{'iotEdge':false}}";

#[test]
fn delete() {
    becomes(
        &["--preset", "delete"],
        &[
            (&q(EDGE), &q("{'id':'e-1','eTag':'x','status':'enabled','importMode':'delete'}")),
            (&q("{'x':1,'importMode':'CREATE','id':'b'}"), &q("{'importMode':'delete','id':'b'}")),
        ],
    );
    let module = "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":\"enabled\"}\n";
    assert_answer(&transform(&["--preset", "delete"], module.as_bytes()), 0, "");
    becomes(
        &["--preset", "delete", "--import-mode", "deleteIfMatchETag"],
        &[(&q("{'id':'a','eTag':'x','tags':{}}"), &q("{'id':'a','eTag':'x','importMode':'deleteIfMatchETag'}"))],
    );
    becomes(
        &["--preset", "delete", "--strip-etags"],
        &[(&q("{'id':'a','eTag':'x'}"), &q("{'id':'a','importMode':'delete'}"))],
    );
}

#[test]
fn share() {
    becomes(
        &["--preset", "share"],
        &[
            (
                &q(
                    "{'id':'a','authentication':{'symmetricKey':{'primaryKey':'secret'}},'twinETag':'t','tags':{'password':'p'},'properties':{},'eTag':'x'}",
                ),
                &q("{'id':'a','authentication':null,'eTag':'x'}"),
            ),
            (&q("{'id':'a','moduleId':'m'}"), &q("{'id':'a','moduleId':'m'}")),
        ],
    );
    let module = "{\"id\":\"a\",\"moduleId\":\"$edgeAgent\",\"status\":\"enabled\"}\n";
    assert_answer(&transform(&["--preset", "share"], module.as_bytes()), 0, "");
}

#[test]
fn migrate() {
    becomes(
        &["--preset", "migrate"],
        &[
            (
                &q("{'id':'a','eTag':'x','twinETag':'t','authentication':{'type':'none'},'tags':{}}"),
                &q("{'id':'a','authentication':{'type':'none'},'tags':{},'importMode':'create'}"),
            ),
            (
                &q(EDGE),
                &q(
                    "{'id':'e-1','status':'enabled','authentication':{'type':'sas'},'capabilities':{'iotEdge':true},'importMode':'create'}",
                ),
            ),
            (
                &q("{'id':'a','authentication':{},'deviceScope':null}"),
                &q("{'id':'a','authentication':{},'deviceScope':null,'importMode':'create'}"),
            ),
            (
                &q("{'id':'a','authentication':{},'deviceScope':''}"),
                &q("{'id':'a','authentication':{},'deviceScope':'','importMode':'create'}"),
            ),
        ],
    );
    let module = "{\"id\":\"a\",\"moduleId\":\"$edgeAgent\",\"status\":\"enabled\"}\n";
    assert_answer(&transform(&["--preset", "migrate"], module.as_bytes()), 0, "");
    becomes(
        &["--preset", "migrate", "--import-mode", "createOrUpdate"],
        &[(&q("{'id':'a','authentication':{}}"), &q("{'id':'a','authentication':{},'importMode':'createOrUpdate'}"))],
    );
}

#[test]
fn migrate_refuses_lines_that_the_hub_would_give_keys() {
    let lines = [
        q("{'id':'a','status':'enabled','authentication':null}"),
        q("{'id':'a','status':'enabled'}"),
        q("{'id':'a','moduleId':'m','status':'enabled'}"),
    ];
    let lines = lines.each_ref().map(String::as_str);
    rejects(&["--preset", "migrate"], "keys-by-hub", &lines);
    let input = format!("{}\n", lines[0]);
    let wanted = q("{'id':'a','status':'enabled','authentication':null,'importMode':'create'}\n");
    let folder = Folder::new();
    let report = folder.arg("report");
    let answer = transform(&["--preset", "migrate", "--allow", "keys-by-hub", "--report", &report], input.as_bytes());
    assert_answer(&answer, 0, wanted);
    assert!(answer.stderr_text().contains("warning[keys-by-hub]: line 1"), "{}", answer.stderr_text());
    assert_eq!(folder.report("report").code("keys-by-hub"), 1);
    // Keys that are made in the same run will do.
    let answer = transform(&["--preset", "migrate", "--regenerate-keys", "--keyless", "sas"], input.as_bytes());
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    rejects(
        &["--preset", "migrate", "--strip-authentication"],
        "keys-by-hub",
        &["{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"type\":\"sas\"}}"],
    );
}

#[test]
fn migrate_lets_lines_without_authentication_through_where_no_identity_is_written() {
    let line = q("{'id':'a','status':'enabled','authentication':null}");
    for mode in ["create", "createOrUpdate", "update"] {
        rejects(&["--preset", "migrate", "--import-mode", mode], "keys-by-hub", &[&line]);
    }
    for mode in ["updateTwin", "delete"] {
        let wanted = format!("{},\"importMode\":\"{mode}\"}}\n", line.trim_end_matches('}'));
        for allow in [[].as_slice(), &["--allow", "keys-by-hub"]] {
            let args = [&["--preset", "migrate", "--import-mode", mode], allow].concat();
            let answer = transform(&args, format!("{line}\n").as_bytes());
            assert_answer(&answer, 0, wanted.clone());
            assert_eq!(answer.stderr_text(), "", "{args:?}");
        }
        // There the authentication of every line goes.
        let args = ["--preset", "migrate", "--import-mode", mode, "--minimal", "--check", "full"];
        let line = q("{'id':'a','status':'enabled','authentication':{'type':'certificateAuthority'},'tags':{}}");
        assert_eq!(transform(&args, format!("{line}\n").as_bytes()).code, 0);
    }
}

#[test]
fn migrate_maps_the_scopes_of_children() {
    let child = q(CHILD);
    rejects(&["--preset", "migrate"], "device-scope", &[&child]);
    let folder = Folder::new();
    let new_edge = q(EDGE).replace("637", "999");
    let other = q(EDGE).replace("e-1", "e-2");
    let decoys = [
        q("{'id':'e-1','status':'enabled','deviceScope':'ms-azure-iot-edge://e-1-111'}"),
        q("{'id':'e-1','moduleId':'m','capabilities':{'iotEdge':true},'deviceScope':'ms-azure-iot-edge://e-1-222'}"),
        "not json".to_owned(),
        String::new(),
    ];
    let export = folder.write("export", format!("\u{feff}{other}\r\n{}\r\n{new_edge}", decoys.join("\n")));
    let mapped = child.replace("637", "999").replace("false}}", "false},\"importMode\":\"create\"}");
    becomes(
        &["--preset", "migrate", "--scope-map", &export],
        &[
            (&child, &mapped),
            (&child.replace("637", "1"), &mapped),
            (
                &q("{'id':'m','moduleId':'m','authentication':{},'deviceScope':'ms-azure-iot-edge:\\/\\/e-1-5'}"),
                &q(
                    "{'id':'m','moduleId':'m','authentication':{},'deviceScope':'ms-azure-iot-edge://e-1-999','importMode':'create'}",
                ),
            ),
        ],
    );
    for scope in
        ["ms-azure-iot-edge://e-3-637", "ms-azure-iot-edge://e-1", "e-1-637", "x", "ms-azure-iot-edge://E-1-637"]
    {
        let line = child.replace("ms-azure-iot-edge://e-1-637", scope);
        rejects(&["--preset", "migrate", "--scope-map", &export], "device-scope", &[&line]);
        let kept = line.replace("false}}", "false},\"importMode\":\"create\"}");
        let args = ["--preset", "migrate", "--scope-map", &export, "--allow", "device-scope"];
        let answer = transform(&args, format!("{line}\n").as_bytes());
        assert_answer(&answer, 0, format!("{kept}\n"));
        assert!(answer.stderr_text().contains("warning[device-scope]: line 1"), "{}", answer.stderr_text());
    }
}

#[test]
fn a_scope_map_without_edge_devices_is_a_mistake() {
    let folder = Folder::new();
    let export = folder.write("export", format!("{}\n", q(CHILD)));
    let output = folder.arg("out");
    let args = ["--preset", "migrate", "--scope-map", &export, "-o", &output];
    let answer = transform(&args, format!("{}\n", q(CHILD)).as_bytes());
    assert_answer(&answer, 2, "");
    assert!(answer.stderr_text().contains("--scope-map"), "{}", answer.stderr_text());
    assert!(!folder.has("out"));
}

#[test]
fn both_refusals_are_let_through_together() {
    let line = q("{'id':'c','status':'enabled','deviceScope':'ms-azure-iot-edge://e-1-637'}");
    let args = ["--preset", "migrate", "--allow", "device-scope", "--allow", "keys-by-hub"];
    let wanted = format!("{}\n", line.replace("637\"}", "637\",\"importMode\":\"create\"}"));
    assert_answer(&transform(&args, format!("{line}\n").as_bytes()), 0, wanted);
}
