//! A crowd of strangers that want to wear a host out.
//!
//! Many keys connect again and again, and hold what they get for a while. On it they ask honest questions, send noise,
//! half a frame, a frame that says it is enormous, and bytes that dribble in, and now and then they read no answer, or
//! vanish. Everything is counted.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use iroh::endpoint::{Connection, Endpoint, presets};
use iroh::{EndpointAddr, RelayMode};
use samebit_net::message::{OnDisconnect, Provider, Request, Response, Submit};
use samebit_net::{ALPN, frame};
use samebit_spec::{BlobRef, Hash, JobSpec, Limits, Profile};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

/// Where the crowd comes from. Its machines have addresses of their own, as they would out there.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// How many keys the crowd has.
const KEYS: u64 = 400;
/// How many connections a key tries to have at once.
const AT_ONCE: u64 = 12;
/// The longest that a connection is held, in milliseconds.
const HELD_MS: u64 = 20_000;
/// How many requests are on their way on a connection.
const REQUESTS_AT_ONCE: usize = 3;
/// How long a handshake or an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the crowd is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) connections: u64,
    pub(super) requests: u64,
    pub(super) seconds: u64,
    pub(super) seed: u64,
}

/// What it has done.
struct Crowd {
    plan: Plan,
    began: Instant,
    host: EndpointAddr,
    connections: AtomicU64,
    requests: AtomicU64,
    next_connection: Mutex<Instant>,
    next_request: Mutex<Instant>,
    counts: Mutex<BTreeMap<String, u64>>,
}

/// Wears the host out, and says what came of it.
pub(super) async fn run(host: &str, plan: Plan) -> Result<()> {
    let host = Provider::parse(host)?;
    let id = iroh::EndpointId::from_bytes(host.host.as_bytes()).context("the host's key")?;
    let host = host.addresses.iter().fold(EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
    let crowd = Arc::new(Crowd {
        plan,
        began: Instant::now(),
        host,
        connections: AtomicU64::new(0),
        requests: AtomicU64::new(0),
        next_connection: Mutex::new(Instant::now()),
        next_request: Mutex::new(Instant::now()),
        counts: Mutex::default(),
    });
    let mut strangers = JoinSet::new();
    for key in 0..KEYS {
        let endpoint = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled).clear_ip_transports();
        let endpoint = endpoint.bind_addr((ADDRESS, 0))?.bind().await?;
        for stranger in 0..AT_ONCE {
            let (crowd, endpoint) = (crowd.clone(), endpoint.clone());
            strangers.spawn(async move { crowd.stranger(&endpoint, plan.seed + key * AT_ONCE + stranger).await });
        }
    }
    strangers.join_all().await;
    let counts = crowd.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let answer = json!({
        "seconds": crowd.began.elapsed().as_secs_f64(),
        "connections": crowd.connections.load(Ordering::Relaxed),
        "requests": crowd.requests.load(Ordering::Relaxed),
        "counts": counts,
    });
    super::say(&answer.to_string());
    Ok(())
}

impl Crowd {
    fn count(&self, what: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(what.to_owned()).or_default() += 1;
    }

    /// True once everything was done, or took much longer than it should.
    fn is_over(&self) -> bool {
        let is_done = |count: &AtomicU64, wanted| count.load(Ordering::Relaxed) >= wanted;
        let all = is_done(&self.connections, self.plan.connections) && is_done(&self.requests, self.plan.requests);
        all || Instant::now() >= self.end()
    }

    /// When it is over in any case.
    fn end(&self) -> Instant {
        self.began + Duration::from_secs(self.plan.seconds * 3)
    }

    /// Waits for the turn of one more, of so many in the whole time, which come at a steady pace: what was late is not made up
    /// for. False if it is over by then.
    async fn turn(&self, next: &Mutex<Instant>, wanted: u64) -> bool {
        let pace = Duration::from_secs(self.plan.seconds).div_f64(wanted as f64);
        let due = {
            let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
            let due = (*next).max(Instant::now());
            *next = due + pace;
            due
        };
        // Of few connections in all, most strangers' turn would come long after the end.
        sleep_until(due.min(self.end()).into()).await;
        !self.is_over()
    }

    /// Connects again and again.
    async fn stranger(&self, endpoint: &Endpoint, seed: u64) {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move |bound: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        while self.turn(&self.next_connection, self.plan.connections).await {
            self.connections.fetch_add(1, Ordering::Relaxed);
            let connection = match timeout(PATIENCE, endpoint.connect(self.host.clone(), ALPN)).await {
                Ok(Ok(connection)) => connection,
                Ok(Err(_)) => {
                    self.count("connection failed");
                    continue;
                }
                Err(_) => {
                    self.count("connection not answered");
                    continue;
                }
            };
            self.count("connected");
            let held = Instant::now() + Duration::from_millis(next(HELD_MS));
            let asking = (0..REQUESTS_AT_ONCE).map(|_| next(u64::MAX)).collect::<Vec<_>>();
            let asking = asking.into_iter().map(|seed| self.ask(&connection, held, seed));
            futures_util::future::join_all(asking).await;
            match connection.close_reason() {
                Some(reason) => self.count(&format!("closed by the host: {}", word(&reason.to_string()))),
                None if next(4) == 0 => {
                    // Its end is never said, as if the machine had lost its power.
                    self.count("vanished");
                    std::mem::forget(connection);
                }
                None => connection.close(0_u32.into(), b""),
            }
        }
    }

    /// Asks again and again on a connection, while it lasts.
    async fn ask(&self, connection: &Connection, until: Instant, seed: u64) {
        let mut random = seed | 1;
        while Instant::now() < until && connection.close_reason().is_none() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if !self.turn(&self.next_request, self.plan.requests).await {
                return;
            }
            if connection.close_reason().is_some() {
                self.count("turn of a connection that was closed");
                return;
            }
            let what =
                timeout(PATIENCE, exchange(connection, random >> 16)).await.unwrap_or(Ok("no answer".to_owned()));
            // What met a connection that had ended was no request.
            self.requests.fetch_add(u64::from(what.is_ok()), Ordering::Relaxed);
            self.count(&what.unwrap_or_else(|_| "connection lost".to_owned()));
        }
    }
}

/// One stream, and what came of it.
async fn exchange(connection: &Connection, random: u64) -> Result<String> {
    let (mut outgoing, mut incoming) = connection.open_bi().await?;
    let framed = |request: Request| {
        let body = request.encode();
        [&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes(), &body[..]].concat()
    };
    let hash = Hash::of(&random.to_le_bytes());
    let (what, bytes) = match random % 16 {
        0..6 => ("info", framed(Request::Info)),
        6 => ("status", framed(Request::Status { job: None })),
        7 => ("receipts", framed(Request::Receipts { from_seq: 0, count_max: u32::MAX })),
        8 => ("events of no job", framed(Request::Events { job: junk(hash).job.id(), from_seq: 0 })),
        9 if random % 512 == 9 => ("a job of no module", framed(Request::Submit(Box::new(junk(hash))))),
        9 | 10 => ("noise", hash.as_bytes().repeat(16)),
        11 => ("a frame of noise", [&[0, 0, 2, 0][..], &hash.as_bytes().repeat(16)[..]].concat()),
        12 => ("half a frame", [&[0, 0, 2, 0][..], hash.as_bytes()].concat()),
        13 => ("an enormous frame", vec![0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
        14 if random % 64 == 14 => {
            // It dribbles until the host has had enough.
            for byte in [0, 0, 1, 0, 7, 7, 7, 7] {
                outgoing.write_all(&[byte]).await?;
                sleep(Duration::from_secs(1)).await;
            }
            ("a dribble", Vec::new())
        }
        14 => ("nothing", Vec::new()),
        _ => {
            outgoing.write_all(&framed(Request::Info)).await?;
            std::mem::forget((outgoing, incoming));
            return Ok("info, not read".to_owned());
        }
    };
    outgoing.write_all(&bytes).await?;
    if what.contains("half") || what == "nothing" {
        outgoing.finish()?;
    }
    let answer = match frame::read(&mut incoming, 4 << 20).await? {
        None => "ended".to_owned(),
        Some(body) => match Response::decode(&body)? {
            Response::Refused(refusal) => format!("refused by {}", refusal.rule),
            _ => "answered".to_owned(),
        },
    };
    Ok(format!("{what}: {answer}"))
}

/// A job that nobody can run.
fn junk(hash: Hash) -> Submit {
    let job = JobSpec {
        module: BlobRef { hash, size_bytes: 1000 },
        args: vec![],
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    };
    Submit { job, publication: None, providers: Vec::new(), on_disconnect: OnDisconnect::Detach }
}

/// The first words of a reason.
fn word(reason: &str) -> String {
    let printable = reason.chars().filter(|char| !char.is_control()).collect::<String>();
    printable.split(':').next().unwrap_or_default().to_owned()
}
