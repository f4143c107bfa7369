//! The stack as a process of its own: the very program of `cargo run -p local`.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use local::aws::{self, Aws, Data, External};
use shared::clock::Clock;
use tests::{Client, Settings};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

/// A process that answers.
#[derive(Debug)]
pub struct Process {
    /// Where its API is.
    pub site: String,
    child: Child,
    /// What it says besides.
    pub stdout: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub status: ExitStatus,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// The program, with these settings and nothing else in its environment.
pub fn program(settings: &Settings) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_stack-process"));
    program.env_clear().envs(settings.variables().iter().cloned());
    program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    program
}

/// Runs the program, which is not going to start, to its end; answers what it wrote to standard output and error.
pub async fn refused(program: &mut Command) -> (Option<i32>, String, String) {
    let output = program.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

impl Process {
    /// Starts one; it answers when this returns.
    pub async fn start(settings: &Settings) -> Self {
        let mut child = program(settings).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = tokio::spawn(collect(child.stderr.take().unwrap()));
        let Some(line) = stdout.next_line().await.unwrap() else { panic!("it did not start: {}", stderr.await.unwrap()) };
        let site = line.strip_prefix("Voki API on ").unwrap_or_else(|| panic!("the first line is {line:?}")).to_owned();
        assert!(site.starts_with("http://127.0.0.1:"), "{site}");
        Self { site, child, stdout, stderr }
    }

    /// A client without credentials, from an address of its own.
    pub fn client(&self) -> Client {
        Client::new(&self.site)
    }

    /// Kills it: no signal handler runs, nothing is closed.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end, as an operator's system does.
    pub async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status().await.unwrap();
        assert!(sent.success());
    }

    /// It has not ended, nor does it in the next moment.
    pub async fn goes_on(&mut self) {
        assert!(timeout(Duration::from_millis(300), self.child.wait()).await.is_err(), "it has ended");
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status = self.child.wait().await.unwrap();
        Ended { status, stderr: self.stderr.await.unwrap() }
    }

    /// Asks it to end and waits until it has.
    pub async fn end(self) -> Ended {
        self.terminate().await;
        self.ended().await
    }
}

async fn collect(stream: impl AsyncRead + Unpin) -> String {
    let (mut lines, mut text) = (BufReader::new(stream).lines(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// DynamoDB, S3 and SQS with nothing on them, which outlive the processes that use them.
#[derive(Debug)]
pub struct Engine {
    aws: Aws,
    /// Stands before DynamoDB and SQS.
    pub proxy: crate::proxy::Proxy,
}

impl Engine {
    /// Starts the services, in this process.
    pub async fn start() -> Self {
        let aws = aws::start(&Data::Memory, External::default(), Clock::default()).await.unwrap();
        let proxy = crate::proxy::Proxy::start([&aws.dynamodb, &aws.sqs]).await;
        Self { aws, proxy }
    }

    /// Settings of a process that uses them.
    pub fn settings(&self) -> Settings {
        let [dynamodb, sqs] = &self.proxy.urls;
        Settings::default()
            .with("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)
            .with("AWS_ENDPOINT_URL_SQS", sqs)
            .with("AWS_ENDPOINT_URL_S3", &self.aws.s3)
    }
}
