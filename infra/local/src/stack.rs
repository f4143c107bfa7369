//! The stack as one thing that starts, answers and ends.

use std::{io, net::SocketAddr, sync::Arc};

use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use shared::{
    Error,
    api::{self, Routes},
    app::{App, Cloud, SdkConfig, Secrets},
    chance::Chance,
    clock::Clock,
    queue::failed,
    storage::{Db, table},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    aws::{self, Aws, REGION},
    control, demo,
    pump::Pump,
    secret,
    settings::LocalSettings,
    state::State,
};

/// The table's name on one machine.
const TABLE: &str = "voki";
/// The queue of deliveries, and where messages go that cannot be worked on.
const QUEUE: &str = "voki-deliveries";
const DEAD_LETTERS: &str = "voki-deliveries-dead";

/// The whole API: the routes of every group.
pub fn routes() -> Routes {
    Routes::new()
        .merge(auth::routes())
        .merge(users::routes())
        .merge(company::routes())
        .merge(departments::routes())
        .merge(customers::routes())
        .merge(access_links::routes())
        .merge(appointments::routes())
        .merge(public::routes())
        .merge(calls::routes())
        .merge(tags::routes())
        .merge(webhooks::routes())
        .merge(export::routes())
        .merge(docs::routes())
}

/// Why the stack did not start; one line each.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A service did not start.
    #[error(transparent)]
    Services(#[from] aws::StartError),
    /// The address is not to be had.
    #[error("VOKI_LISTEN: cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The table or the queue cannot be used.
    #[error("{0}")]
    Setup(#[from] Error),
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    /// Where the API is.
    pub address: SocketAddr,
    /// Whether the demo tenant is there.
    pub demo: bool,
    /// What its functions are given.
    pub app: App,
    /// The services.
    pub aws: Aws,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    pump: JoinHandle<()>,
}

impl Stack {
    /// Starts everything; when it returns, the API answers.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn start(settings: LocalSettings) -> Result<Self, StartError> {
        let listener = TcpListener::bind(settings.listen).await.map_err(|e| StartError::Listen(settings.listen, e))?;
        let address = listener.local_addr().map_err(|e| StartError::Listen(settings.listen, e))?;
        let clock = Clock::default();
        let aws = aws::start(&settings.data, settings.external.clone(), clock.clone()).await?;
        let mut shared = settings.shared;
        if shared.public_url.is_empty() {
            shared.public_url = format!("http://{address}");
        }
        let cloud = cloud(&aws, settings.sdk).await?;
        let db = Db::new(cloud.dynamodb(), cloud.table.clone());
        table::create(db.client(), db.table()).await?;
        clock.set_offset(State::offset(&db).await?);
        let secret = match settings.secret {
            Some(set) => set,
            None if settings.external.dynamodb.is_some() => State::secret(&db).await?,
            None => secret::of(&settings.data)?,
        };
        let secrets = Secrets::of(&secret);
        let app = App::new(shared, clock, Chance::default(), secrets, cloud);
        if settings.demo {
            demo::seed(&app).await?;
        }
        let (stop, stopped) = watch::channel(false);
        let pump = Arc::new(Pump::start(app.clone(), aws.queues.clone()).await?);
        let local = control::routes(aws.mailbox.clone());
        let routes: Router<App> = control::waking(Router::from(routes()).merge(local), pump.clone());
        let service = api::service(&app, routes).into_make_service_with_connect_info::<SocketAddr>();
        let mut ending = stopped.clone();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            let _ = ending.wait_for(|stop| *stop).await;
        });
        let server = tokio::spawn(async move { server.await });
        let pump = tokio::spawn(async move { pump.run(stopped).await });
        Ok(Self { address, demo: settings.demo, app, aws, stop, server, pump })
    }

    /// Ends everything, finishing what is in flight.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        // A client that keeps its connection open does not keep the stack.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), self.server).await;
        let _ = self.pump.await;
        self.aws.shutdown().await;
    }
}

/// The services as the functions reach them: through the SDK and an endpoint.
async fn cloud(aws: &Aws, sdk: SdkConfig) -> Result<Cloud, Error> {
    let mut cloud = Cloud {
        sdk,
        dynamodb: Some(aws.dynamodb.clone()),
        sqs: Some(aws.sqs.clone()),
        ses: Some(aws.ses.clone()),
        table: TABLE.into(),
        queue_url: String::new(),
    };
    cloud.queue_url = queue(&cloud.sqs()).await?;
    Ok(cloud)
}

/// The queue, made unless it is there, with its dead letters.
async fn queue(client: &aws_sdk_sqs::Client) -> Result<String, Error> {
    client.create_queue().queue_name(DEAD_LETTERS).send().await.map_err(failed("CreateQueue"))?;
    let redrive = format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:{REGION}:000000000000:{DEAD_LETTERS}","maxReceiveCount":5}}"#);
    let made = client
        .create_queue()
        .queue_name(QUEUE)
        .attributes(QueueAttributeName::VisibilityTimeout, "60")
        .attributes(QueueAttributeName::RedrivePolicy, redrive)
        .send()
        .await
        .map_err(failed("CreateQueue"))?;
    made.queue_url.ok_or_else(|| Error::Internal("CreateQueue: no URL".into()))
}
