//! `demo`: what is packed into the program is the recording that is kept here, and it tells what it is meant to.
//!
//! `BLESS=1 cargo test --test demo` packs it afresh; `tests/vm/record` records it.

#![allow(clippy::unwrap_used, reason = "what does not work is a broken test")]

use std::fs;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_ipsetaudit-tui");

fn kept() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/story.jsonl")).unwrap()
}

#[test]
fn the_recording_in_the_program_is_the_one_kept_here() {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/log/story.jsonl.zst");
    if std::env::var_os("BLESS").is_some() {
        fs::write(packed, zstd::encode_all(&*kept(), 19).unwrap()).unwrap();
        return;
    }
    assert!(zstd::decode_all(&*fs::read(&packed).unwrap()).unwrap() == kept(), "BLESS=1 cargo test --test demo");
    assert!(fs::metadata(&packed).unwrap().len() < 200_000);
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("audit.jsonl");
    let run = || Command::new(PROGRAM).args(["demo", "--save"]).arg(&file).output().unwrap();
    assert!(run().status.success());
    assert!(fs::read(&file).unwrap() == kept(), "it was written otherwise");
    let again = run();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing was overwritten"));
}

/// Without a terminal it prints its lines, once, and a filter chooses among them.
#[test]
fn it_tells_what_it_is_meant_to() {
    let lines = |filter: &str| {
        let run = Command::new(PROGRAM).args(["demo", "-f", filter]).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let text = String::from_utf8(run.stdout).unwrap();
        text.lines().filter(|l| !l.contains(" START ") && !l.contains(" STOP ")).map(str::to_owned).collect::<Vec<_>>()
    };
    for (what, filter, least) in [
        ("a blocklist is reloaded by swap", "op=swap set=blocklist outcome=ok", 1),
        ("a manager writes a set", "set=blocklist op=add outcome=ok crowdsec", 1),
        ("and another one does", "set=blocklist op=del outcome=ok update.sh", 1),
        ("a destroy finds its set busy", "op=destroy error=IPSET_ERR_BUSY", 1),
        ("a set is full", "set=tiny error=IPSET_ERR_HASH_FULL", 1),
        ("somebody without the right tries", "outcome=denied", 1),
        ("a restore fails in its line 5", "op=add outcome=failed line=5", 1),
        ("a container has a namespace of its own", "netns_name=web-1", 3),
        ("and then everything is gone", "op=destroy set=\"\" outcome=ok systemd", 1),
    ] {
        assert!(lines(filter).len() >= least, "{what}: {filter}\n{}", lines("kind=change").join("\n"));
    }
    // At its end there is no set, so that it can be told again.
    assert!(lines("op=create,rename,swap or elem=0.0.0.0/0").len() > 5);
}
