"""Fine-tuning: batches without much padding, the training loop, its resumable state, its gates, and `finetune` on top."""
