//! One refusal for each rule, and that nothing else refuses.

use std::collections::BTreeMap;

use samebit_runner::spec::{BlobRef, Hash, Profile, SecretKey};

use super::*;

const HOST: HostCaps = HostCaps { queued: 100, memory_bytes: 8 << 30 };

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32])
}

fn job() -> JobSpec {
    JobSpec {
        module: BlobRef::of(b"module"),
        args: Vec::new(),
        inputs: BTreeMap::from([("a".parse().expect("a name"), BlobRef::of(b"input"))]),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    }
}

fn policy(text: &str) -> Policy {
    toml::from_str::<PolicyFile>(text).expect("valid").resolve(None)
}

fn submission(job: &JobSpec) -> Submission<'_> {
    let peer = Peer::Remote(key(1).public());
    let (peer_going, all_going) = Default::default();
    Submission { peer, job, publications: &[], peer_going, all_going, peer_spent: PeerSpent::default() }
}

/// The rule that refuses, or nothing.
fn refused(policy: &Policy, submission: &Submission<'_>) -> Option<String> {
    policy.decide(submission, &HOST).err().map(|refusal| refusal.rule.as_str().to_owned())
}

fn refused_by(text: &str) -> Option<String> {
    refused(&policy(text), &submission(&job()))
}

#[test]
fn without_a_policy_only_this_machine_submits() {
    let job = job();
    let remote = submission(&job);
    assert_eq!(refused(&policy(""), &remote).as_deref(), Some("submitters.allow"));
    assert_eq!(refused(&policy(""), &Submission { peer: Peer::Local, ..remote }), None);
    policy("").admit(remote.peer).expect("anybody may ask what this host is, and pull its chain");
}

#[test]
fn submitters_are_allowed_by_key_and_denied_first() {
    let one = key(1).public();
    assert_eq!(refused_by("submitters.allow = ['any']"), None);
    assert_eq!(refused_by(&format!("submitters.allow = ['{one}']")), None);
    let other = key(2).public();
    assert_eq!(refused_by(&format!("submitters.allow = ['{other}']")).as_deref(), Some("submitters.allow"));
    let both = format!("submitters = {{ allow = ['any'], deny = ['{one}'] }}");
    assert_eq!(refused_by(&both).as_deref(), Some("submitters.deny"), "deny wins");
    policy(&both).admit(Peer::Remote(one)).expect_err("and is not spoken to");
    let allowed = Keys::parse([one.to_string().as_str()]).expect("a key");
    let joined = PolicyFile::default().resolve(Some(allowed));
    assert_eq!(refused(&joined, &submission(&job())), None, "a flag allows as the file does");
}

#[test]
fn modules_are_chosen_by_hash() {
    let (module, other) = (job().module.hash, Hash::of(b"other"));
    let with = |lists: String| refused_by(&format!("submitters.allow = ['any']\n[modules]\n{lists}"));
    assert_eq!(with(format!("allow = ['{module}']")), None);
    assert_eq!(with(format!("allow = ['{other}']")).as_deref(), Some("modules.allow"));
    assert_eq!(with(format!("allow = ['any']\ndeny = ['{module}']")).as_deref(), Some("modules.deny"));
}

#[test]
fn authors_are_who_signed_the_module() {
    let job = job();
    let (good, bad) = (key(3), key(4));
    let by = |key: &SecretKey| Publication::sign(job.module, key);
    let lists = format!(
        "submitters.allow = ['any']\nauthors = {{ allow = ['{}'], deny = ['{}'] }}",
        good.public(),
        bad.public()
    );
    let policy = policy(&lists);
    let with = |publications: &[Publication]| refused(&policy, &Submission { publications, ..submission(&job) });
    assert_eq!(with(&[by(&good)]), None);
    assert_eq!(with(&[]).as_deref(), Some("authors.allow"), "nobody has signed it");
    assert_eq!(with(&[by(&key(5))]).as_deref(), Some("authors.allow"));
    assert_eq!(with(&[by(&good), by(&bad)]).as_deref(), Some("authors.deny"), "deny wins");
    let forged = Publication { author: good.public(), ..by(&key(5)) };
    assert_eq!(with(&[forged]).as_deref(), Some("authors.signature"));
    let other = Publication::sign(BlobRef::of(b"other"), &good);
    assert_eq!(with(&[other]).as_deref(), Some("authors.signature"), "a signature under another module");
}

#[test]
fn what_a_job_asks_is_capped() {
    let with = |text: &str| refused_by(&format!("submitters.allow = ['any']\n{text}"));
    assert_eq!(with("job.limits.fuel = '1G'").as_deref(), Some("job.limits.fuel"));
    assert_eq!(with("job.limits.gpu-memory = '1MiB'").as_deref(), Some("job.limits.gpu-memory"));
    assert_eq!(with("job.input-bytes = 11"), None);
    assert_eq!(with("job.input-bytes = 10").as_deref(), Some("job.input-bytes"));
    let policy = policy("submitters.allow = ['any']");
    let small = HostCaps { memory_bytes: (2 << 30) - 1, ..HOST };
    let refusal = policy.decide(&submission(&job()), &small).expect_err("more than the host has");
    assert_eq!(refusal.rule.as_str(), "host.memory");
}

#[test]
fn a_job_that_claims_everything_overflows_nothing() {
    let huge = BlobRef { size_bytes: u64::MAX, ..BlobRef::of(b"x") };
    let job = JobSpec { module: huge, inputs: BTreeMap::from([("a".parse().expect("a name"), huge)]), ..job() };
    let policy = policy("submitters.allow = ['any']");
    assert_eq!(refused(&policy, &submission(&job)).as_deref(), Some("job.input-bytes"));
}

#[test]
fn what_a_peer_has_going_is_capped() {
    let job = job();
    let going = Going { jobs: 2, input_bytes: 2 * input_bytes(&job), fuel: 2 * job.limits.fuel };
    let with = |text: &str| {
        let policy = policy(&format!("submitters.allow = ['any']\n[peer]\n{text}"));
        refused(&policy, &Submission { peer_going: going, all_going: going, ..submission(&job) })
    };
    assert_eq!(with(""), None);
    assert_eq!(with("queued = 3"), None);
    assert_eq!(with("queued = 2").as_deref(), Some("peer.queued"));
    assert_eq!(with("input-bytes = 32").as_deref(), Some("peer.input-bytes"));
    assert_eq!(with("fuel = '299G'").as_deref(), Some("peer.fuel"));
    let all_going = Going { jobs: 100, ..Going::default() };
    let policy = policy("");
    let local = Submission { peer: Peer::Local, all_going, ..submission(&job) };
    assert_eq!(refused(&policy, &local).as_deref(), Some("host.queued"), "for this machine too");
}

#[test]
fn mistakes_in_a_file_are_named() {
    for (text, wanted) in [
        ("submiters.allow = []", "submiters"),
        ("[peer]\nqueue = 3", "queue"),
        ("submitters.allow = ['me']", "or write `any`"),
        ("modules.deny = ['00']", "or write `any`"),
        ("job.limits.fule = 1", "fule"),
        ("peer.running = -1", "-1"),
    ] {
        let error = toml::from_str::<PolicyFile>(text).expect_err(text).to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn what_a_peer_had_lately_counts_against_it() {
    let job = job();
    let with = |peer: &str, gpu_time, output_bytes| {
        let policy = policy(&format!("submitters.allow = ['any']\n[peer]\n{peer}"));
        let peer_spent = PeerSpent { gpu_time: Duration::from_secs(gpu_time), output_bytes };
        refused(&policy, &Submission { peer_spent, ..submission(&job) })
    };
    assert_eq!(with("", 1 << 30, u64::MAX), None, "nothing is said of it");
    assert_eq!(with("gpu-time-per-hour = '10min'", 599, 0), None);
    assert_eq!(with("gpu-time-per-hour = '10min'", 600, 0).as_deref(), Some("peer.gpu-time-per-hour"));
    assert_eq!(with("output-bytes-per-hour = '1GiB'", 0, (1 << 30) - 1), None);
    assert_eq!(with("output-bytes-per-hour = '1GiB'", 0, 1 << 30).as_deref(), Some("peer.output-bytes-per-hour"));
    for wrong in ["gpu-time-per-hour = 600", "gpu-time-per-hour = '600'", "gpu-time-per-hour = 'long'"] {
        let file = toml::from_str::<PolicyFile>(&format!("[peer]\n{wrong}"));
        file.expect_err("a time has a unit");
    }
}
