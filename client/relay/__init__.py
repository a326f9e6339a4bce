"""From the lender's signed ballot to the channel: acknowledgement, outbox, batches, retries."""
