"""Names and titles of all metrics, in the order in which tables show them; standard library only."""

#: One of two classes.
METRICS = {
    "precision": "Precision",
    "recall": "Recall",
    "accuracy": "Accuracy",
    "f1": "F1-score",
    "auroc": "AUROC",
    "mcc": "MCC",
    "log_loss": "Log loss",
    "auprc": "AUPRC",
    "balanced_accuracy": "Balanced accuracy",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
}

#: One of more than two classes; `macro` is the mean over classes, each against the rest.
CLASS_METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "F1-score (macro)",
    "mcc": "MCC",
    "macro_auroc": "AUROC (macro)",
    "macro_auprc": "AUPRC (macro)",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
}

#: Several labels of yes or no; `macro` is the mean over labels, `micro` takes all their decisions as one task.
LABEL_METRICS = {
    "macro_auroc": "AUROC (macro)",
    "macro_auprc": "AUPRC (macro)",
    "macro_f1": "F1-score (macro)",
    "micro_auroc": "AUROC (micro)",
    "micro_auprc": "AUPRC (micro)",
    "micro_f1": "F1-score (micro)",
}

#: Numbers; means over targets.
NUMBER_METRICS = {
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "r2": "R2",
    "rmse": "RMSE",
}

#: Profiles along the sequence; how they are defined is said in `profile_metrics`.
PROFILE_METRICS = {
    "pearson_median": "Pearson (median)",
    "pearson_mean": "Pearson (mean)",
    "auprc": "AUPRC",
    "auroc": "AUROC",
    "auprc_5nt": "AUPRC (5 nt)",
    "auroc_5nt": "AUROC (5 nt)",
    "loss": "Loss",
    "count_pearson": "Count correlation",
}

#: Of all kinds together: a metric has the same title in each.
ALL_METRICS = METRICS | CLASS_METRICS | LABEL_METRICS | NUMBER_METRICS | PROFILE_METRICS

#: Metrics that are compared with the best baseline's, the default main one first: of two classes, and of the others.
COMPARED = ("auroc", "accuracy", "mcc")
COMPARED_CLASSES = ("macro_auroc", "accuracy", "macro_f1", "mcc")
COMPARED_LABELS = ("macro_auroc", "macro_auprc", "macro_f1")
COMPARED_NUMBERS = ("pearson", "spearman", "r2", "rmse")

#: Metrics of which less is better.
LESS_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error", "rmse", "loss"})

#: Metrics whose resamples are biased upwards, as means of absolute values are.
BIASED = frozenset({"calibration_error"})

#: What is needed for log loss, Brier score and calibration error.
NO_PROBABILITIES = "scores are no probabilities"
