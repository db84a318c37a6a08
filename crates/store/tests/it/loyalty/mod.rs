//! Cards, terminals and their events.

mod reading;
pub mod samples;
mod writing;

use crate::fixture::write;
use domain::{
    loyalty::{
        document::{Document, DocumentKey},
        rows::{LoyaltyChanges, LoyaltyPlan},
    },
    rows::{Changes, Plan},
};
use store::{StoreError, Writer};

fn changes(loyalty: LoyaltyChanges) -> Changes {
    Changes {
        loyalty,
        ..Changes::default()
    }
}

fn plan(mut loyalty: LoyaltyPlan) -> Plan<'static> {
    loyalty.normalise();
    Plan {
        loyalty,
        ..Plan::default()
    }
}

fn adding(documents: Vec<Document>) -> Changes {
    changes(LoyaltyChanges {
        documents_added: documents,
        ..LoyaltyChanges::default()
    })
}

/// Writes documents over those with the same keys, which the transaction loads as always.
async fn overwrite(writer: &mut impl Writer, documents: Vec<Document>) -> Result<(), StoreError> {
    writer.load(plan(naming(&documents))).await?;
    let put = LoyaltyChanges {
        documents,
        ..LoyaltyChanges::default()
    };
    writer.commit(changes(put)).await
}

fn naming(documents: &[Document]) -> LoyaltyPlan {
    LoyaltyPlan {
        documents: documents.iter().map(Document::key).collect(),
        ..LoyaltyPlan::default()
    }
}

/// Removes documents and writes nothing else.
async fn remove(writer: &mut impl Writer, keys: Vec<DocumentKey>) {
    let removed = LoyaltyChanges {
        documents_removed: keys,
        ..LoyaltyChanges::default()
    };
    write(writer, changes(removed)).await.unwrap();
}
