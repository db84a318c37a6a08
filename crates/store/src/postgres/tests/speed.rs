use super::fixture::*;
use crate::{contract::Writer, postgres::PostgresStore, testing::TestCluster};
use domain::rows::*;
use std::time::*;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn speed() {
    let cluster = TestCluster::start().unwrap();
    let store: PostgresStore = store_at(&cluster.url).await;
    let size: usize = std::env::var("SIZE").map_or(20, |s| s.parse().unwrap());
    let seconds = 6;
    let tasks: Vec<_> = (0..2i64)
        .map(|w| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut writer = store.writer().await.unwrap();
                let mut serial = w * 1_000_000_000_000;
                let start = Instant::now();
                let mut per = vec![0usize; seconds + 30];
                while start.elapsed().as_secs() < seconds as u64 {
                    let batch: Vec<_> = (0..size)
                        .map(|_| {
                            serial += 1;
                            payment(serial, &serial.to_string())
                        })
                        .collect();
                    writer.load(claiming(&batch)).await.unwrap();
                    let mut c = Changes::default();
                    for p in &batch {
                        c.jobs.extend(settling(p).jobs);
                    }
                    writer.commit(c).await.unwrap();
                    let mut plan = Plan {
                        payments: batch.iter().map(|p| (p.tenant, p.serial)).collect(),
                        ..Plan::default()
                    };
                    plan.normalise();
                    writer.load(plan).await.unwrap();
                    let mut c = Changes::default();
                    for p in &batch {
                        let n = paying(p);
                        c.payments.extend(n.payments);
                        c.jobs_removed.extend(n.jobs_removed);
                        c.postings.extend(n.postings);
                    }
                    writer.commit(c).await.unwrap();
                    per[start.elapsed().as_secs() as usize] += size;
                }
                per
            })
        })
        .collect();
    let mut total = vec![0; seconds];
    for t in tasks {
        for (i, n) in t.await.unwrap().into_iter().take(seconds).enumerate() {
            total[i] += n;
        }
    }
    println!("payments/s by second: {total:?}");
}
