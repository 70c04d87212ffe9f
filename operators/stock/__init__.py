"""Stock: the ledger of a SKU over all places, alerts, demand and safety stock."""
