-- What a close of the benchmark's month cannot do without, as one set-based script for PostgreSQL and SQLite: it sums
-- the usage, prices it, and inserts the rows that the close inserts, into copies of its tables.
-- It knows the data by heart: two prices, one month, the French VAT, no past, free credits that never expire.

CREATE TEMP TABLE floor_rated AS
SELECT
    sums.*,
    price.id AS price_id,
    CASE meter.code
        -- 0.0072 for 3600 seconds; rounded half up, which is away from zero as nothing is negative
        WHEN 'runtime.S' THEN (2 * 72 * quantity_micro + 360000000000) / 720000000000
        -- 0.001 up to 100 GB-hours, 0.0008 up to 1000, 0.0005 above
        WHEN 'storage' THEN (100000000 + 2 * CASE
            WHEN quantity_micro <= 100000000 THEN 10 * quantity_micro
            WHEN quantity_micro <= 1000000000 THEN 8 * quantity_micro + 200000000
            ELSE 5 * quantity_micro + 3200000000
        END) / 200000000
    END AS amount_cents
FROM (
    SELECT organization_id, resource_id, meter_id, zone, CAST(sum(quantity_micro) AS bigint) AS quantity_micro
    FROM billing_usagerecord
    WHERE month = '2026-10-01'
    GROUP BY organization_id, resource_id, meter_id, zone
) AS sums
JOIN billing_meter AS meter ON meter.id = sums.meter_id
JOIN billing_price AS price ON price.meter_id = sums.meter_id;

CREATE TEMP TABLE floor_account AS
SELECT
    row_number() OVER (ORDER BY usage.organization_id) AS invoice_id,
    usage.organization_id,
    usage.fees_cents,
    coalesce(credit.remaining_cents, 0) AS free_cents,
    CASE WHEN credit.remaining_cents < fees_cents THEN credit.remaining_cents
        WHEN credit.remaining_cents >= fees_cents THEN fees_cents ELSE 0 END AS used_cents
FROM (
    SELECT organization_id, CAST(sum(amount_cents) AS bigint) AS fees_cents
    FROM floor_rated
    GROUP BY organization_id
) AS usage
LEFT JOIN billing_creditgrant AS credit ON credit.organization_id = usage.organization_id;

-- The estimate is this month's consumption; the refill tops the credits that are left up to it.
CREATE TEMP TABLE floor_total AS
SELECT
    *,
    fees_cents - used_cents AS regularization_cents,
    CASE WHEN free_cents - used_cents < fees_cents THEN fees_cents - (free_cents - used_cents) ELSE 0 END
        AS refill_cents
FROM floor_account;

INSERT INTO floor_invoice (
    id, kind, document_state, payment_state, legal_entity_id, organization_id, consumption_month, currency,
    subtotal_cents, vat_cents, total_cents, paid_cents, fingerprint, review_notes, created_at, computed_at
)
SELECT
    invoice_id, 'invoice', 'draft', 'pending', 1, organization_id, '2026-10-01', 'EUR',
    subtotal_cents, (2 * 2000 * subtotal_cents + 10000) / 20000,
    subtotal_cents + (2 * 2000 * subtotal_cents + 10000) / 20000,
    0, '0123456789abcdef0123456789abcdef', '[]', '2026-11-02 06:00:00+00', '2026-11-02 06:00:00+00'
FROM (SELECT *, regularization_cents + refill_cents AS subtotal_cents FROM floor_total) AS account;

INSERT INTO floor_invoiceline (
    invoice_id, position, kind, organization_id, name, period_start, period_end, quantity_micro, unit_price_micro,
    net_cents, vat_category, vat_rate_bp
)
SELECT
    invoice_id, position, kind, organization_id, '', period_start, period_end, 1000000, net_cents * 10000,
    net_cents, 'S', 2000
FROM (
    SELECT invoice_id, organization_id, 1 AS position, 'provision' AS kind, refill_cents AS net_cents,
        CAST('2026-11-01' AS date) AS period_start, CAST('2026-12-01' AS date) AS period_end
    FROM floor_total
    WHERE refill_cents > 0
    UNION ALL
    SELECT invoice_id, organization_id, 2, 'regularization', regularization_cents,
        CAST('2026-10-01' AS date), CAST('2026-11-01' AS date)
    FROM floor_total
    WHERE regularization_cents > 0
) AS line;

INSERT INTO floor_creditstatement (
    invoice_id, free_balance_cents, prepaid_balance_cents, used_free_cents, expired_cents, used_prepaid_cents,
    estimate_cents, pending_cents, refill_cents, fees_cents, regularization_cents, direct_cents, subtotal_cents
)
SELECT
    invoice_id, free_cents, 0, -used_cents, 0, 0,
    -fees_cents, 0, refill_cents, fees_cents, regularization_cents, 0, regularization_cents + refill_cents
FROM floor_total;

INSERT INTO floor_taxsubtotal (invoice_id, category, rate_bp, base_cents, vat_cents)
SELECT id, 'S', 2000, subtotal_cents, vat_cents
FROM floor_invoice;

INSERT INTO floor_usagedetail (
    invoice_id, month, organization_id, resource_id, resource_name, meter_id, zone, price_id, quantity_micro,
    amount_cents
)
SELECT
    account.invoice_id, '2026-10-01', account.organization_id, resource.id, resource.name, meter_id, zone, price_id,
    quantity_micro, amount_cents
FROM floor_rated AS rated
JOIN floor_account AS account ON account.organization_id = rated.organization_id
JOIN billing_resource AS resource ON resource.id = rated.resource_id;

INSERT INTO floor_closeoutcome (
    id, close_id, month, organization_id, payer_id, kind, invoice_id, reason_code, reason_values,
    own_consumption_cents, settled_usage
)
SELECT
    invoice_id, (SELECT id FROM billing_monthclose), '2026-10-01', organization_id, organization_id, 'invoice',
    invoice_id, '', '{}', fees_cents, '[]'
FROM floor_total;

DROP TABLE floor_rated;
DROP TABLE floor_account;
DROP TABLE floor_total;
