//! Holds the command to what the references are known to do, by running it on files it wrote.

use data_encoding::HEXLOWER;
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_parser::Resolve;

// Published test vectors of the nkeys format, of no other use.
const ISSUER_SEED: &str = "SAACTTUPKR55VUWUDK7GJ5SU5KGED455FR7BDO46RUVOTHUWKBLECLH2UU";
const ISSUER: &str = "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW";
const SUBJECT_SEED: &str = "SVAOZUSBWWFL65P255DOHIETPTXUQMM5ETLSYPITI5G4K4HI6M2CDAPWAU";
const SUBJECT: &str = "VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF";

/// The SHA-256 of `abc`, the first example of FIPS 180.
const ABC_SHA256: &str = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";

/// A folder of one test's own, with the files every test starts from.
struct Bench(PathBuf);

impl Bench {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let bench = Self(folder);
        bench.put("issuer.nk", ISSUER_SEED);
        bench.put("subject.nk", format!("{SUBJECT_SEED}\n"));
        bench.put("abc.so", "abc");
        bench.put("other.so", vec![0; 70_000]);
        bench.put("schema.json", r#"{"type": "object"}"#);
        bench
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), content).unwrap();
    }

    fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// Runs the command in the folder and returns its exit status and its report.
    fn run(&self, line: &str) -> (i32, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_par-interop"))
            .current_dir(&self.0)
            .args(line.split_whitespace())
            .output()
            .unwrap();
        assert_eq!(output.stderr, b"", "{line}");
        let report = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code().unwrap(), report)
    }

    fn done(&self, line: &str) -> Value {
        let (status, report) = self.run(line);
        assert_eq!(status, 0, "{line}: {report}");
        report
    }

    fn failed(&self, line: &str, reason: &str) -> Value {
        let (status, report) = self.run(line);
        assert_eq!(status, 1, "{line}: {report}");
        let message = report["error"].as_str().unwrap();
        assert!(message.contains(reason), "{line}: {message:?}");
        report
    }

    fn write(&self, release: &str, rest: &str) -> Value {
        self.done(&format!(
            "write {release} --issuer issuer.nk --subject subject.nk --name Pay --vendor Acme {rest}"
        ))
    }
}

#[test]
fn both_releases_load_what_0_8_writes() {
    let bench = Bench::new("both_releases_load_what_0_8_writes");
    for (out, file, compress) in [("a.par", "a.par", ""), ("b.par", "b.par.gz", "--compress")] {
        let report = bench.write(
            "0.8",
            &format!(
                "--out {out} {compress} --capid examples:payments --rev 3 --ver 1.0 \
                 --schema schema.json x86_64-linux=abc.so arm-linux=other.so"
            ),
        );
        assert_eq!(report["file"], file);
        let old = bench.done(&format!("load 0.8 {file}"));
        let new = bench.done(&format!("load 0.16 {file}"));
        assert_eq!(old["capid"], "examples:payments");
        assert_eq!(old["claims"]["wascap"]["capid"], "examples:payments");
        assert_eq!(new["capid"], Value::Null);
        for report in [&old, &new] {
            assert_eq!(report["name"], "Pay");
            assert_eq!(report["vendor"], "Acme");
            assert_eq!(report["rev"], 3);
            assert_eq!(report["ver"], "1.0");
            assert_eq!(report["schema"], json!({ "type": "object" }));
            assert_eq!(report["wit"], Value::Null);
            assert_eq!(report["claims"]["iss"], ISSUER);
            assert_eq!(report["claims"]["sub"], SUBJECT);
            let targets = &report["targets"];
            assert_eq!(targets.as_object().unwrap().len(), 2);
            assert_eq!(
                targets["x86_64-linux"],
                json!({ "size": 3, "sha256": ABC_SHA256 })
            );
            assert_eq!(targets["arm-linux"]["size"], 70_000);
        }
    }
}

#[test]
fn only_0_16_loads_what_0_16_writes() {
    let bench = Bench::new("only_0_16_loads_what_0_16_writes");
    for (file, compress) in [("a.par", ""), ("a.par.gz", "--compress")] {
        bench.write(
            "0.16",
            &format!("--out {file} {compress} x86_64-linux=abc.so"),
        );
        let report = bench.done(&format!("load 0.16 {file}"));
        assert_eq!(report["rev"], Value::Null);
        assert_eq!(report["ver"], Value::Null);
        assert_eq!(report["schema"], Value::Null);
        assert_eq!(report["targets"]["x86_64-linux"]["sha256"], ABC_SHA256);
        bench.failed(&format!("load 0.8 {file}"), "missing field `capid`");
    }
}

#[test]
fn one_target_is_loaded_alone() {
    let bench = Bench::new("one_target_is_loaded_alone");
    bench.write(
        "0.8",
        "--out a.par --capid c x86_64-linux=abc.so arm-linux=other.so",
    );
    for release in ["0.8", "0.16"] {
        let report = bench.done(&format!("load {release} a.par --target arm-linux"));
        let targets: Vec<_> = report["targets"].as_object().unwrap().keys().collect();
        assert_eq!(targets, ["arm-linux"]);
        bench.failed(
            &format!("load {release} a.par --target mips-linux"),
            "Not enough files",
        );
    }
}

#[test]
fn a_folder_is_loaded_file_by_file() {
    let bench = Bench::new("a_folder_is_loaded_file_by_file");
    fs::create_dir(bench.0.join("all")).unwrap();
    bench.write("0.8", "--out all/a.par --capid c x86_64-linux=abc.so");
    bench.put("all/b.par", "no archive");
    // Its claims are missing: what is in the way of a file is in the way of no other.
    bench.put("all/c.par", [0; 1024]);
    bench.write("0.8", "--out all/d.par --capid c arm-linux=abc.so");
    for release in ["0.8", "0.16"] {
        let output = Command::new(env!("CARGO_BIN_EXE_par-interop"))
            .current_dir(&bench.0)
            .args(["load-all", release, "all"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        let reports: Vec<Value> = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        let files: Vec<_> = reports.iter().map(|report| &report["file"]).collect();
        assert_eq!(files, ["a.par", "b.par", "c.par", "d.par"]);
        assert_eq!(reports[0]["targets"]["x86_64-linux"]["sha256"], ABC_SHA256);
        assert!(reports[1]["error"].is_string());
        assert!(reports[2]["error"].is_string());
        assert_eq!(reports[3]["targets"]["arm-linux"]["sha256"], ABC_SHA256);
    }
    bench.failed("load-all 0.8 none", "Cannot read none");
}

#[test]
fn a_changed_binary_is_refused_an_unlisted_one_is_a_panic() {
    let bench = Bench::new("a_changed_binary_is_refused_an_unlisted_one_is_a_panic");
    bench.write("0.8", "--out a.par --capid c x86_64-linux=abc.so");
    let archive = bench.get("a.par");
    let header = archive
        .windows(17)
        .position(|window| window == b"x86_64-linux.bin\0")
        .unwrap();

    let mut changed = archive.clone();
    changed[header + 512] ^= 1;
    bench.put("changed.par", changed);

    // The new name has the old one's letters, so the header's checksum still holds.
    let mut unlisted = archive;
    unlisted[header..header + 6].copy_from_slice(b"x86_46");
    bench.put("unlisted.par", unlisted);

    for release in ["0.8", "0.16"] {
        let report = bench.failed(&format!("load {release} changed.par"), "do not match");
        assert_eq!(report["panicked"], Value::Null);
        let report = bench.failed(&format!("load {release} unlisted.par"), "unwrap()");
        assert_eq!(report["panicked"], true);
    }
}

#[test]
fn a_wit_package_travels_with_0_16() {
    let bench = Bench::new("a_wit_package_travels_with_0_16");
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str(
            "pay.wit",
            "package examples:payments@1.2.3; world provider {}",
        )
        .unwrap();
    let wasm = wit_component::encode(&resolve, package).unwrap();
    bench.put("world.wasm", &wasm);
    assert_eq!(
        bench.done("wit world.wasm"),
        json!({ "ok": true, "packages": ["examples:payments@1.2.3"], "worlds": ["provider"] })
    );

    bench.write("0.16", "--out a.par --wit world.wasm x86_64-linux=abc.so");
    let report = bench.done("load 0.16 a.par");
    assert_eq!(report["wit"]["size"], wasm.len());
    assert_eq!(
        report["wit"]["sha256"],
        report["claims"]["wascap"]["target_hashes"]["world.wasm"]
    );
    assert_eq!(report["targets"].as_object().unwrap().len(), 1);

    bench.failed("wit abc.so", "unexpected end");
    bench.put("empty_component.wasm", b"\0asm\x0d\0\x01\0");
    bench.failed("wit empty_component.wasm", "a component, not a WIT package");
}

#[test]
fn releases_refuse_what_they_do_not_know() {
    let bench = Bench::new("releases_refuse_what_they_do_not_know");
    let line = "--issuer issuer.nk --subject subject.nk --name n --vendor v --out a.par";
    bench.failed(&format!("write 0.8 {line}"), "needs --capid");
    bench.failed(
        &format!("write 0.8 {line} --capid c --wit abc.so"),
        "no --wit",
    );
    bench.failed(&format!("write 0.16 {line} --capid c"), "no --capid");
    assert!(!bench.0.join("a.par").exists());
}

#[test]
fn every_wascap_validates_a_token() {
    let bench = Bench::new("every_wascap_validates_a_token");
    bench.write("0.8", "--out a.par --capid c x86_64-linux=abc.so");
    let report = bench.done("load 0.16 a.par");
    let token = report["jwt"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    // The first character, because the last one's lowest bits are padding.
    let first = if signature.starts_with('A') { "B" } else { "A" };
    bench.put("token.jwt", format!("{token}\n"));
    bench.put("forged.jwt", format!("{signed}.{first}{}", &signature[1..]));
    for wascap in ["0.11", "0.15", "0.16"] {
        let verdict = |valid: bool| {
            json!({
                "signature_valid": valid,
                "expired": false,
                "expires_human": "never",
                "cannot_use_yet": false,
                "not_before_human": "immediately",
            })
        };
        let by = format!("--wascap {wascap}");
        assert_eq!(
            bench.done(&format!("validate token.jwt {by}")),
            verdict(true)
        );
        assert_eq!(
            bench.done(&format!("validate forged.jwt {by}")),
            verdict(false)
        );
        bench.failed(&format!("validate abc.so {by}"), "expected 3 segments");
    }
}

#[test]
fn keys_are_described_and_signatures_checked() {
    let bench = Bench::new("keys_are_described_and_signatures_checked");
    assert_eq!(
        bench.done("keys issuer.nk"),
        json!({ "public_key": ISSUER, "seed_role": "account" })
    );
    assert_eq!(
        bench.done("keys subject.nk"),
        json!({ "public_key": SUBJECT, "seed_role": "service" })
    );
    bench.put("bad.nk", ISSUER_SEED.replace("UU", "UA"));
    bench.failed("keys bad.nk", "Checksum");

    let signature = nkeys::KeyPair::from_seed(ISSUER_SEED)
        .unwrap()
        .sign(b"abc")
        .unwrap();
    bench.put("signature.hex", HEXLOWER.encode(&signature));
    let verify = |key: &str, message: &str| format!("verify-key {key} {message} signature.hex");
    let valid = |valid: bool| json!({ "valid": valid });
    assert_eq!(bench.done(&verify(ISSUER, "abc.so")), valid(true));
    assert_eq!(bench.done(&verify(ISSUER, "other.so")), valid(false));
    assert_eq!(bench.done(&verify(SUBJECT, "abc.so")), valid(false));
    bench.put("signature.hex", "zz");
    bench.failed(&verify(ISSUER, "abc.so"), "as hex");
}

#[test]
fn wrong_usage_and_missing_files_have_their_exit_statuses() {
    let bench = Bench::new("wrong_usage_and_missing_files_have_their_exit_statuses");
    let (status, report) = bench.run("load 0.9 a.par");
    assert_eq!(status, 2);
    assert!(report["error"]
        .as_str()
        .unwrap()
        .contains("par-interop load"));
    bench.failed("load 0.8 none.par", "No such file");
    bench.failed("load 0.16 none.par", "none.par");
    bench.failed("keys none.nk", "Cannot read none.nk");
}
