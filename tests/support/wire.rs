//! What stands between the SDK and its services, in this process: it counts every call, and fails the one it is told to.
//!
//! Work runs on a runtime whose clock stands still ([`timeless`]). A call waits for one millisecond of that clock, which
//! passes only when nothing else can go on: calls that are under way together share their moment, and the moments
//! are the rounds, the sequential chain of a request. The true call then runs elsewhere, in the order in which calls came,
//! while the clock stands. Pauses before a repetition cost nothing either.

mod call;
mod fault;
mod message;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, mpsc},
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::spawn_blocking,
    time::Instant,
};

pub use call::{Call, Touch};
pub use fault::{Extent, Fault, Kind};

use fault::Strike;
use message::{Asked, Told};

/// How long a call waits for others that are under way at the same time.
const MOMENT: Duration = Duration::from_millis(1);
/// How long others may take to answer before the clock moves on, and the work's own limits hold.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs work while the clock stands still; it moves by itself, at once, when all that is left to do is to wait for it.
pub fn timeless<F: Future>(work: F) -> F::Output {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(work)
}

/// What happens to the calls of a piece of work.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// A call fails.
    pub fault: Option<Fault>,
    /// Indexes are read from this table in place of the true one.
    pub stale: Option<String>,
    /// Somebody else does something before a call.
    pub meanwhile: Option<Meanwhile>,
    /// After a call of this action the work talks to addresses that are not a service's; while it does, the clock must not
    /// move.
    pub outward: Option<&'static str>,
}

/// What somebody else does.
#[derive(Clone)]
pub struct Meanwhile {
    /// Before which call: its number among the calls of the work, from 0.
    pub site: usize,
    /// The other work, which passes by this layer.
    pub work: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meanwhile").field("site", &self.site).finish_non_exhaustive()
    }
}

/// The layer; clones are one.
#[derive(Debug, Clone)]
pub struct Wire(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    below: SharedHttpClient,
    elsewhere: Elsewhere,
    turn: tokio::sync::Mutex<()>,
    log: Mutex<Log>,
}

/// What has passed since the work began.
#[derive(Debug, Default)]
struct Log {
    weather: Weather,
    arrived: usize,
    moment: Option<Instant>,
    round: usize,
    /// The SDK's name of the call that met the fault, which its repetitions share, and how often the fault struck.
    met: Option<(String, usize)>,
    calls: Vec<Call>,
    /// Keeps the clock from moving while it is there.
    hold: Option<mpsc::Sender<()>>,
}

impl Wire {
    /// The layer above a client.
    #[must_use]
    pub fn over(below: impl HttpClient + 'static) -> Self {
        let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (turn, log) = (tokio::sync::Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { below: SharedHttpClient::new(below), elsewhere: Elsewhere(Some(elsewhere)), turn, log }))
    }

    /// Does work in some weather; answers what it answers, with the calls that it made.
    pub async fn watch<F: Future>(&self, weather: Weather, work: F) -> (F::Output, Vec<Call>) {
        *self.log() = Log { weather, ..Log::default() };
        let output = work.await;
        (output, std::mem::take(&mut *self.log()).calls)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap()
    }

    async fn pass(self, below: SharedHttpConnector, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let mut asked = Asked::of(request);
        let (strike, meanwhile) = self.log().arrive(&asked);
        tokio::time::sleep(MOMENT).await;
        let turn = self.0.turn.lock().await;
        if let Some(Meanwhile { work, .. }) = meanwhile {
            spawn_blocking(move || work()).await.unwrap();
        }
        let (round, stale) = self.log().depart();
        let mut call = Call::of(&asked, round);
        asked.watch(stale.as_deref());
        let outcome = if let Some(outcome) = strike.and_then(|strike| strike.instead(&asked)) {
            outcome
        } else {
            let left = strike.and_then(|strike| strike.narrow(&mut asked));
            call.goes(&asked);
            let outcome = self.send(below, &asked).await;
            match strike {
                Some(strike) => strike.spoil(left, outcome),
                None => outcome,
            }
        };
        call.answered(outcome.as_ref().ok(), strike.map(|strike| strike.kind));
        self.log().end(call);
        drop(turn);
        outcome.map(Told::into_response)
    }

    /// The true call.
    async fn send(&self, below: SharedHttpConnector, asked: &Asked) -> Result<Told, ConnectorError> {
        let (handle, request) = (self.0.elsewhere.handle(), asked.to_request());
        let called = spawn_blocking(move || handle.block_on(async move { Told::of(below.call(request).await?).await }));
        called.await.unwrap()
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Tap { wire: self.clone(), below: self.0.below.http_connector(settings, components) })
    }
}

#[derive(Debug)]
struct Tap {
    wire: Wire,
    below: SharedHttpConnector,
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.wire.clone().pass(self.below.clone(), request))
    }
}

impl Log {
    /// A call came. Answers how it fails, and what is done before it.
    fn arrive(&mut self, asked: &Asked) -> (Option<Strike>, Option<Meanwhile>) {
        self.hold = None;
        let number = self.arrived;
        self.arrived += 1;
        let meanwhile = self.weather.meanwhile.take_if(|meanwhile| meanwhile.site == number);
        (self.strike(number, asked), meanwhile)
    }

    /// How the call of this number fails.
    fn strike(&mut self, number: usize, asked: &Asked) -> Option<Strike> {
        let fault = self.weather.fault.as_ref()?;
        let met = self.met.get_or_insert_with(|| (String::new(), 0));
        if number == fault.site {
            met.0.clone_from(&asked.invocation);
        }
        let struck = match fault.extent {
            Extent::Once => number == fault.site,
            Extent::Call => number >= fault.site && met.0 == asked.invocation,
            Extent::Rest => number >= fault.site,
        };
        let repetition = met.1;
        met.1 += usize::from(struck);
        struck.then_some(Strike { kind: fault.kind, repetition })
    }

    /// Its moment has come. Answers the round, and the table of which it reads indexes.
    fn depart(&mut self) -> (usize, Option<String>) {
        let now = Instant::now();
        self.round += usize::from(self.moment != Some(now));
        self.moment = Some(now);
        (self.round, self.weather.stale.clone())
    }

    /// It has passed. Where the work now talks to others, the clock is kept from moving until it calls again.
    fn end(&mut self, call: Call) {
        if call.succeeded() && self.weather.outward == Some(&call.action) {
            let (hold, released) = mpsc::channel();
            spawn_blocking(move || released.recv_timeout(PATIENCE).is_err());
            self.hold = Some(hold);
        }
        self.calls.push(call);
    }
}

/// The runtime of the true calls; it ends without waiting, since it may end within another.
#[derive(Debug)]
struct Elsewhere(Option<Runtime>);

impl Elsewhere {
    fn handle(&self) -> Handle {
        self.0.as_ref().unwrap().handle().clone()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
