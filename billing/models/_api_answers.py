"""Answers of the API that are given again to whoever sends the same request again."""

from django.db import models


class ApiAnswer(models.Model):
    """What a request with an idempotency key was answered; stored in the transaction that did what it asked for."""

    api_key = models.ForeignKey("billing.ApiKey", on_delete=models.CASCADE, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("api_key", "idempotency_key"), name="api_answer_once"),)

    def __str__(self) -> str:
        return self.idempotency_key
