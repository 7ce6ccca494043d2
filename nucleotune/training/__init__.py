"""Fine-tuning: batches with little padding, the training loop, its resumable state, its gates, `finetune` on top."""
