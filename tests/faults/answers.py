"""How vendors really say "too fast" and "not now": status, headers and body as each documents them.

Sources: HubSpot developers "Usage details" (policyName, no Retry-After on rolling limits), Xero "OAuth 2.0 API limits"
(Retry-After, X-Rate-Limit-Problem), Zendesk "Rate limits", Atlassian "Rate limiting" (RateLimit-Reason), Stripe "Rate
limits", Pipedrive "Rate limiting" (x-ratelimit-reset), Salesforce REQUEST_LIMIT_EXCEEDED (403), Redmine behind nginx.
"""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


_JSON = {"Content-Type": "application/json"}
TOO_FAST: dict[str, Answer] = {
    "hubspot": Answer(
        429,
        {**_JSON, "X-HubSpot-RateLimit-Max": "100", "X-HubSpot-RateLimit-Remaining": "0",
         "X-HubSpot-RateLimit-Interval-Milliseconds": "10000", "Retry-After": "1"},
        b'{"status":"error","message":"You have reached your ten_secondly_rolling limit.","errorType":"RATE_LIMIT",'
        b'"policyName":"TEN_SECONDLY_ROLLING"}',
    ),
    "xero": Answer(
        429,
        {**_JSON, "Retry-After": "1", "X-Rate-Limit-Problem": "minute", "X-MinLimit-Remaining": "0",
         "X-DayLimit-Remaining": "4711"},
        b"",
    ),
    "tryton": Answer(429, {"Content-Type": "text/plain", "Retry-After": "1"}, b"Too Many Requests"),
    "redmine": Answer(429, {"Content-Type": "text/html", "Retry-After": "1"}, b"<h1>429 Too Many Requests</h1>"),
    "salesforce": Answer(
        403, {**_JSON, "Retry-After": "1"},
        b'[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
    ),
    "pipedrive": Answer(
        429, {**_JSON, "x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
        b'{"success":false,"error":"request over limit","errorCode":429}',
    ),
    "jira": Answer(
        429, {**_JSON, "Retry-After": "1", "X-RateLimit-Remaining": "0", "RateLimit-Reason": "jira-burst-based"}, b"{}"
    ),
    "stripe_billing": Answer(
        429, {**_JSON, "Stripe-Should-Retry": "true", "Retry-After": "1"},
        b'{"error":{"message":"Request rate limit exceeded.","type":"invalid_request_error","code":"rate_limit"}}',
    ),
}  # fmt: skip
LOGIN_PAGE = Answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html><title>Sign in</title><form>")
DOWN = Answer(
    503, {"Content-Type": "text/html"}, b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
)
