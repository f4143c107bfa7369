//! Starting and ending, as whoever runs it sees it.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{PASSWORD, Receiver, Reply, Settings, Tenant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    kill::kept,
    process::{Process, program, refused},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_within_two_seconds() {
    let mut fastest = Duration::MAX;
    // The machine may be busy with other tests: of three starts the fastest counts.
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let process = Process::start(&kept(folder.path()).with("VOKI_DEMO", "1")).await;
        let _ = process.client().get("/api/health").await.expect(200);
        fastest = fastest.min(begun.elapsed());
        process.kill().await;
    }
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_first_line_says_where_it_is_and_the_next_who_may_log_in() {
    let mut process = Process::start(&Settings::default().with("VOKI_DEMO", "1")).await;
    let mut rest = String::new();
    for account in ["manager@demo.test", "supervisor@demo.test", "attendant@demo.test", "voki-demo-2026"] {
        while !rest.contains(account) {
            rest.push_str(&process.stdout.next_line().await.unwrap().unwrap());
        }
    }
    assert_eq!(process.end().await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_a_start_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    let under_a_file = file.join("data").to_str().unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let home = folder.path().join("data");
    let running = Process::start(&kept(&home)).await;
    let database = folder.path().join("damaged");
    std::fs::create_dir(&database).unwrap();
    std::fs::write(database.join("dynamodb.sqlite"), [b'x'; 4096]).unwrap();

    for (name, value, cause) in [
        ("VOKI_LISTEN", taken.as_str(), taken.as_str()),
        ("VOKI_LISTEN", "3000", "VOKI_LISTEN"),
        ("VOKI_LISTEN", "192.0.2.1:3000", "192.0.2.1:3000"),
        ("VOKI_DATA", under_a_file.as_str(), file.to_str().unwrap()),
        ("VOKI_DATA", home.to_str().unwrap(), home.to_str().unwrap()),
        ("VOKI_DATA", database.to_str().unwrap(), database.to_str().unwrap()),
        ("VOKI_DEMO", "yes", "VOKI_DEMO"),
        ("VOKI_PUBLIC_URL", "voki", "VOKI_PUBLIC_URL"),
        ("VOKI_SIGNUP", "perhaps", "VOKI_SIGNUP"),
        ("VOKI_DEFAULT_PLAN", "gold", "VOKI_DEFAULT_PLAN"),
        ("VOKI_RATE_LIMIT_AUTH", "5", "VOKI_RATE_LIMIT_AUTH"),
        ("VOKI_RATE_LIMIT_PUBLIC", "-1/60", "VOKI_RATE_LIMIT_PUBLIC"),
        ("VOKI_CORS_ORIGINS", "example.com", "VOKI_CORS_ORIGINS"),
        ("VOKI_TRUSTED_PROXIES", "10.0.0.0/33", "VOKI_TRUSTED_PROXIES"),
        ("VOKI_WEBHOOK_ALLOW_PRIVATE", "2", "VOKI_WEBHOOK_ALLOW_PRIVATE"),
        ("AWS_ENDPOINT_URL_SQS", "localhost", "AWS_ENDPOINT_URL_SQS"),
        ("VOKI_COLOUR", "blue", "VOKI_COLOUR"),
    ] {
        let (code, stdout, stderr) = refused(&mut program(&Settings::default().with(name, value))).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{name}={value}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{name}={value}: {stderr}");
        assert!(stderr.contains(cause), "{name}={value}: {stderr}");
    }
    let (code, stdout, stderr) = refused(program(&Settings::default()).arg("--help")).await;
    assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
    assert!(stderr.contains("--help: there are no arguments"), "{stderr}");
    let _ = running.client().get("/api/health").await.expect(200);
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_what_is_in_flight() {
    let mut process = Process::start(&Settings::default()).await;
    let tenant = Tenant::on(process.client()).await;
    let receiver = Receiver::start().await;
    let webhook = json!({ "webhook": { "url": receiver.url, "events": ["*"] } });
    let webhook = tenant.manager.post("/api/v1/webhooks", webhook).await.expect(201).data();
    receiver.reply(Reply::Hang);
    let path = format!("/api/v1/webhooks/{}/test", webhook["id"].as_str().unwrap());
    let client = tenant.manager.clone();
    let in_flight = tokio::spawn(async move { client.post(&path, json!({})).await });
    receiver.wait(1).await;
    // A connection that nobody uses is closed: by then the process has begun to end.
    let mut idle = TcpStream::connect(process.site.trim_start_matches("http://")).await.unwrap();
    idle.write_all(b"GET /api/health HTTP/1.1\r\nhost: voki\r\n\r\n").await.unwrap();
    let mut health = [0; 15];
    idle.read_exact(&mut health).await.unwrap();
    assert_eq!(&health, b"HTTP/1.1 200 OK");
    process.terminate().await;
    let _ = idle.read_to_end(&mut Vec::new()).await.unwrap();
    process.goes_on().await;
    receiver.reply(Reply::Status(204));
    let answer = in_flight.await.unwrap().expect(200).data();
    assert_eq!((&answer["delivered"], &answer["response_code"]), (&json!(true), &json!(204)));
    let ended = process.ended().await;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("ERROR"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = kept(folder.path());
    let process = Process::start(&settings).await;
    let _ = process.client().post("/local/clock", json!({ "advance_seconds": 86_400 })).await.expect(200);
    let tenant = Tenant::on(process.client()).await;
    let department = tenant.department(json!({ "name": "Suporte Técnico" })).await;
    let call = tenant.join(&tenant.link(&department, 1).await, "João").await;
    let login = tenant.login("manager@example.com", PASSWORD).await;
    let clock = process.client().get("/local/clock").await.expect(200).data();
    assert_eq!(process.end().await.status.code(), Some(0));

    let process = Process::start(&settings).await;
    let tenant = tenant.at(&process.site);
    let later = process.client().get("/local/clock").await.expect(200).data();
    assert_eq!((&later["offset_seconds"], &clock["offset_seconds"]), (&json!(86_400), &json!(86_400)));
    assert!(later["now"].as_str() >= clock["now"].as_str(), "{later} {clock}");
    // The access token, the refresh token and the password still hold.
    let bearer = tenant.anonymous.bearer(login["access_token"].as_str().unwrap());
    let _ = bearer.get("/api/v1/users/me").await.expect(200);
    let refresh = json!({ "refresh_token": login["refresh_token"] });
    let _ = tenant.anonymous.post("/api/auth/refresh", refresh).await.expect(200);
    let _ = tenant.login("manager@example.com", PASSWORD).await;
    let departments = tenant.manager.get("/api/v1/departments").await.expect(200).json();
    assert_eq!((&departments["meta"]["total_count"], &departments["data"][0]["id"]), (&json!(1), &json!(department)));
    assert_eq!(departments["data"][0]["name"], "Suporte Técnico");
    let found = tenant.manager.get(&format!("/api/v1/calls/{call}")).await.expect(200).data();
    assert_eq!((&found["status"], &found["customer_name"]), (&json!("queued"), &json!("João")));
    assert_eq!(process.end().await.status.code(), Some(0));
}
