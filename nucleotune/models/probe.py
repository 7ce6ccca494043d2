"""A probe: a linear layer on the mean of an encoder's last hidden states, of an encoder that is not trained."""

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class Probe(nn.Module):
    """The encoder of a classifier, without its pooler, and a new linear layer with as many outputs.

    The mean is over all tokens that are not padding, special ones included. It and the linear layer are computed in
    fp32, also where the encoder is not: embeddings of different sequences differ in their last digits.
    """

    def __init__(self, classifier: PreTrainedModel) -> None:
        """Take the encoder out of `classifier`, which is used up."""
        super().__init__()
        self.base_model_prefix, self.config = classifier.base_model_prefix, classifier.config
        encoder = classifier.base_model
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = nn.Identity()
        self.config.architectures = [type(encoder).__name__]
        self.add_module(self.base_model_prefix, encoder)
        self.classifier = nn.Linear(self.config.hidden_size, self.config.num_labels)

    @property
    def base_model(self) -> PreTrainedModel:
        """The encoder, as transformers' classifiers call it."""
        return getattr(self, self.base_model_prefix)

    def get_input_embeddings(self) -> nn.Module:
        """The encoder's embedding of tokens."""
        return self.base_model.get_input_embeddings()

    def embed(
        self, attention_mask: torch.Tensor | None = None, **inputs: torch.Tensor
    ) -> torch.Tensor:
        """Mean-pooled embeddings, fp32 (examples, hidden size); `inputs` are `input_ids` or `inputs_embeds`."""
        hidden = self.base_model(attention_mask=attention_mask, **inputs).last_hidden_state.float()
        if attention_mask is None:
            return hidden.mean(1)
        weights = attention_mask[:, :, None].float()
        return (hidden * weights).sum(1) / weights.sum(1)

    def forward(
        self, attention_mask: torch.Tensor | None = None, **inputs: torch.Tensor
    ) -> SequenceClassifierOutput:
        """Logits (examples, outputs) of the same inputs."""
        embedded = self.embed(attention_mask, **inputs)
        with torch.autocast(embedded.device.type, enabled=False):
            return SequenceClassifierOutput(logits=self.classifier(embedded))
