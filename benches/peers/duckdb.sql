-- The shipped job's features in DuckDB, as of one date: a pass over the transactions for each length of
-- window, which reads only the files and columns it needs (cheaper than one pass with all conditions),
-- and bit sets instead of count(distinct) wherever the values are few.
--
-- Set before this runs: as_of (a date), and transactions, repayments, lines (lists of Parquet files,
-- by delivery and name). Makes the table `features`, by account.

-- ==== the book: the snapshot's accepted lines ====================================================

create temp table lines as
select account_id, product, credit_limit, balance, status, opened_on
from read_parquet(getvariable('lines'), hive_partitioning = true)
where account_id is not null and product <> '' and opened_on is not null
  and credit_limit >= 0 and balance is not null
  and status in ('active', 'suspended', 'closed')
  and opened_on <= date and coalesce(increased_on <= date, true) and coalesce(decreased_on <= date, true)
  and coalesce(status_since <= date, true)
qualify count(*) over (partition by account_id, product) = 1;

create temp table of_lines as
select
    account_id,
    max(getvariable('as_of') - opened_on)                                   as days_on_book,
    count(*) filter (status = 'suspended')                                  as suspended_lines,
    coalesce(sum(credit_limit) filter (status <> 'closed'), 0)              as total_limit,
    sum(balance)                                                            as total_balance,
    coalesce(sum(balance) filter (status <> 'closed'), 0)                   as drawn,
    coalesce(sum(credit_limit)
        filter (product in ('huabei', 'fenfu') and status <> 'closed'), 0)  as pay_later_limit
from lines
group by account_id;

-- ==== transactions ===============================================================================

create temp view delivered as
select
    transaction_id, account_id, posted_on, product, kind, category, merchant_id, amount,
    date as delivery, list_position(getvariable('transactions'), filename) as file, file_row_number
from read_parquet(getvariable('transactions'), hive_partitioning = true)
where account_id is not null and posted_on is not null and amount is not null and posted_on <= date;

-- Rows sent twice. Ids that repeat are few, so they are looked for cheaply first: 64 neighbouring ids
-- make a group, and one that has fewer ids than rows holds a repeat.
create temp table repeats as
with blocks as (
    select transaction_id >> 6 as block
    from delivered
    where transaction_id is not null
    group by block
    having bit_count(bit_or(1::ubigint << (transaction_id & 63))) < count(*)
)
select file, file_row_number
from delivered semi join blocks on delivered.transaction_id >> 6 = blocks.block
qualify delivery - lag(delivery) over (
    partition by transaction_id order by file, file_row_number
) <= 3;

-- No row is older than its delivery, so a window of days needs no file delivered before it.
create temp macro counted(days) as table
select getvariable('as_of') - posted_on as age, delivered.*
from delivered anti join repeats using (file, file_row_number)
where delivery > getvariable('as_of') - days
  and posted_on between getvariable('as_of') - days + 1 and getvariable('as_of');

create type category as enum (
    select distinct category from read_parquet(getvariable('transactions')) where category is not null
);

create temp table of_365_days as
with rows as (
    select
        account_id, age, amount,
        kind in ('salary', 'transfer_in')                                   as is_inflow,
        kind = 'salary' or kind = 'transfer_in' and amount >= 50000         as is_income
    from counted(365)
)
select
    account_id,
    bit_count(bitstring_agg(age, 0, 364))                   as active_days_365d,
    sum(amount) filter (is_inflow and age < 95)             as inflow_95d,
    sum(amount) filter (is_inflow)                          as inflow_365d,
    min(age) filter (is_income)                             as days_since_income
from rows
group by account_id;

create temp table of_1_day as
select
    account_id,
    count(*)                                                as rows_1d,
    count(*) filter (
        kind in ('salary', 'transfer_in', 'transfer_out', 'purchase', 'withdrawal', 'cash_advance', 'fee')
        and amount >= 0
        or kind = 'refund' and amount <= 0
    )                                                       as sound_rows_1d,
    count(*) filter (kind = 'purchase')                     as purchases_1d,
    count(*) filter (kind = 'transfer_out')                 as transfers_out_1d,
    count(*) filter (kind = 'transfer_in')                  as transfers_in_1d,
    count(*) filter (kind = 'salary')                       as salaries_1d,
    count(*) filter (kind = 'purchase' and product is not null) as credit_purchases_1d,
    max(amount) filter (kind = 'purchase')                  as largest_purchase_1d,
    count(*) filter (
        kind = 'purchase' and category in ('jewellery', 'gift_cards') and product is not null
        and amount % 10000 = 0
    )                                                       as gift_cards_1d
from counted(1)
group by account_id;

-- Too many merchants for bits; distinct pairs first are far cheaper than count(distinct) by account.
create temp table of_180_days as
with merchants as (
    select
        account_id, merchant_id,
        min(age) as days_since_purchase, count(*) filter (category = 'utilities') as utilities
    from counted(180)
    where kind = 'purchase'
    group by account_id, merchant_id
)
select
    account_id,
    min(days_since_purchase) as days_since_purchase,
    sum(utilities)           as utilities_180d,
    count(merchant_id)       as merchants_180d
from merchants
group by account_id;

create temp table of_90_days as
with rows as (
    select
        account_id, age, amount,
        kind = 'purchase'                                                   as is_purchase,
        kind in ('purchase', 'refund')                                      as is_spending,
        kind in ('purchase', 'refund', 'transfer_out', 'withdrawal', 'fee') as is_outflow,
        kind in ('purchase', 'cash_advance') and product is not null        as is_credit_purchase,
        category in ('jewellery', 'gift_cards') and product is not null     as is_cash_like,
        kind = 'purchase' and is_cash_like and amount % 10000 = 0           as is_round_cash_like,
        case when age < 30 then 1::uinteger << age end                      as day_bit,
        -- at most 64 categories; more would be an error of the shift
        1::ubigint << enum_code(category::category)                         as category_bit
    from counted(90)
)
select
    account_id,
    sum(amount) filter (is_outflow)                         as outflow_90d,
    sum(amount) filter (is_spending)                        as spend_90d,
    count(*) filter (is_purchase)                           as purchases_90d,
    bit_count(bit_or(day_bit))                              as active_days_30d,
    bit_count(bit_or(category_bit) filter (is_purchase))    as categories_90d,
    sum(amount) filter (is_spending and is_cash_like)       as cash_like_90d,
    count(*) filter (is_round_cash_like)                    as round_cash_like_90d,
    sum(amount) filter (is_round_cash_like)                 as round_cash_like_sum_90d,
    sum(amount) filter (is_round_cash_like and age < 7)     as cash_like_7d,
    count(*) filter (is_credit_purchase)                    as credit_purchases_90d
from rows
group by account_id;

-- ==== bills ======================================================================================

create temp view repayment_rows as
select account_id, product, bill_id, due_on, due_amount, paid_on, paid_amount, date as delivery
from read_parquet(getvariable('repayments'), hive_partitioning = true)
where account_id is not null and product <> '' and bill_id is not null
  and due_on is not null and due_amount > 0
  and case when paid_on is null then coalesce(paid_amount, 0) = 0 else paid_amount is not null end
  and coalesce(paid_on <= date, true);

create temp table folded as
select
    account_id, product, bill_id,
    min(due_on) as due_on, max(due_on) as latest_due_on,
    max(due_amount) as due_amount, min(due_amount) as least_due_amount,
    count(paid_on) as payments, coalesce(sum(paid_amount), 0) as paid, max(paid_on) as last_paid_on
from repayment_rows
group by account_id, product, bill_id;

-- Most bills have one set of terms and at most one payment. The others take the long way: the latest
-- delivery's terms, and the running sum of payments day by day.
create temp table long_way as
with
rows as (
    select repayment_rows.*
    from repayment_rows semi join (
        select * from folded
        where payments > 1 or due_on <> latest_due_on or due_amount <> least_due_amount
    ) using (account_id, product, bill_id)
),
latest as (
    select *
    from rows
    qualify rank() over (partition by account_id, product, bill_id order by delivery desc) = 1
),
terms as (
    select account_id, product, bill_id, min(due_on) as due_on, max(due_amount) as due_amount
    from latest
    group by account_id, product, bill_id
),
paid_days as (
    select
        account_id, product, bill_id, paid_on,
        sum(sum(paid_amount)) over (partition by account_id, product, bill_id order by paid_on) as paid
    from rows
    where paid_on is not null
    group by account_id, product, bill_id, paid_on
),
stays as (      -- whether from this day on the bill stays paid
    select
        paid_days.*,
        bool_and(paid_days.paid >= greatest(1, due_amount - 100)) over (
            partition by account_id, product, bill_id order by paid_on desc
        ) as is_settled
    from paid_days join terms using (account_id, product, bill_id)
),
settled as (
    select
        account_id, product, bill_id,
        max_by(paid, paid_on) as paid, min(paid_on) filter (is_settled) as settled_on
    from stays
    group by account_id, product, bill_id
)
select account_id, product, bill_id, due_on, due_amount, coalesce(paid, 0) as paid, settled_on
from terms left join settled using (account_id, product, bill_id);

create temp table of_bills as
with
bills as (
    select
        account_id, product, due_on, due_amount, paid,
        case when paid >= greatest(1, due_amount - 100) then last_paid_on end as settled_on
    from folded
    where payments <= 1 and due_on = latest_due_on and due_amount = least_due_amount
    union all
    select account_id, product, due_on, due_amount, paid, settled_on
    from long_way
),
due as (
    select
        account_id, product, due_amount, paid,
        getvariable('as_of') - due_on                                       as age,
        settled_on is null                                                  as is_open,
        greatest(0, coalesce(settled_on, getvariable('as_of')) - due_on)    as days_late,
        greatest(0, due_amount - paid)                                      as outstanding
    from bills
    where due_on <= getvariable('as_of')
)
select
    account_id,
    count(*) filter (age < 365 and not (is_open and days_late = 0))         as bills_due_365d,
    count(*) filter (age < 90 and not (is_open and days_late = 0))          as bills_due_90d,
    count(*) filter (age < 365 and not is_open and days_late = 0)           as on_time_365d,
    max(days_late) filter (is_open)                                         as oldest_open_days,
    count(*) filter (is_open)                                               as open_bills,
    count(*) filter (age < 1)                                               as bills_due_1d,
    count(*) filter (age < 1 and is_open)                                   as bills_open_1d,
    count(*) filter (age < 14)                                              as bills_14d,
    count(*) filter (age < 14 and paid <= due_amount + 10000)               as sound_bills_14d,
    count(distinct product) filter (age < 14)                               as billed_products_14d,
    max(due_amount) filter (age < 30)                                       as largest_bill_30d,
    max(days_late) filter (is_open and product = 'huabei')                  as huabei_days_past_due,
    max(days_late) filter (is_open and product = 'fenfu')                   as fenfu_days_past_due,
    max(days_late) filter (is_open and product = 'jiebei')                  as jiebei_days_past_due,
    sum(outstanding) filter (is_open and days_late > 0)                     as overdue_amount,
    max(days_late) filter (age < 180 and not (is_open and days_late = 0))   as worst_days_late_180d,
    count(*) filter (age < 90 and days_late > 2)                            as late_bills_90d,
    count(*) filter (age < 365 and days_late > 0)                           as late_bills_365d,
    sum(due_amount) filter (age < 90)                                       as billed_90d
from due
group by account_id;

-- ==== all together ===============================================================================

-- scale × a ÷ b, truncated toward zero; null where b is 0 or either is null
create temp macro ratio(scale, a, b) as (scale * a::hugeint // nullif(b, 0))::bigint;

create temp table features as
with
aggregates as (
    select
        of_lines.*, of_bills.* exclude (account_id), of_90_days.* exclude (account_id),
        of_180_days.* exclude (account_id), of_365_days.* exclude (account_id),
        of_1_day.* exclude (account_id)
    from of_lines
    left join of_bills using (account_id)
    left join of_90_days using (account_id)
    left join of_180_days using (account_id)
    left join of_365_days using (account_id)
    left join of_1_day using (account_id)
),
complete as (    -- without rows a count or sum is 0; min, max and days_since stay null
    select * replace (
        coalesce(bills_due_365d, 0) as bills_due_365d,
        coalesce(bills_due_90d, 0) as bills_due_90d,
        coalesce(on_time_365d, 0) as on_time_365d,
        coalesce(overdue_amount, 0) as overdue_amount,
        coalesce(late_bills_90d, 0) as late_bills_90d,
        coalesce(late_bills_365d, 0) as late_bills_365d,
        coalesce(billed_90d, 0) as billed_90d,
        coalesce(open_bills, 0) as open_bills,
        coalesce(bills_due_1d, 0) as bills_due_1d,
        coalesce(bills_open_1d, 0) as bills_open_1d,
        coalesce(bills_14d, 0) as bills_14d,
        coalesce(sound_bills_14d, 0) as sound_bills_14d,
        coalesce(billed_products_14d, 0) as billed_products_14d,
        coalesce(inflow_95d, 0) as inflow_95d,
        coalesce(inflow_365d, 0) as inflow_365d,
        coalesce(rows_1d, 0) as rows_1d,
        coalesce(sound_rows_1d, 0) as sound_rows_1d,
        coalesce(purchases_1d, 0) as purchases_1d,
        coalesce(transfers_out_1d, 0) as transfers_out_1d,
        coalesce(transfers_in_1d, 0) as transfers_in_1d,
        coalesce(salaries_1d, 0) as salaries_1d,
        coalesce(credit_purchases_1d, 0) as credit_purchases_1d,
        coalesce(gift_cards_1d, 0) as gift_cards_1d,
        coalesce(outflow_90d, 0) as outflow_90d,
        coalesce(spend_90d, 0) as spend_90d,
        coalesce(purchases_90d, 0) as purchases_90d,
        coalesce(active_days_30d, 0) as active_days_30d,
        coalesce(active_days_365d, 0) as active_days_365d,
        coalesce(categories_90d, 0) as categories_90d,
        coalesce(merchants_180d, 0) as merchants_180d,
        coalesce(utilities_180d, 0) as utilities_180d,
        coalesce(cash_like_90d, 0) as cash_like_90d,
        coalesce(round_cash_like_90d, 0) as round_cash_like_90d,
        coalesce(round_cash_like_sum_90d, 0) as round_cash_like_sum_90d,
        coalesce(cash_like_7d, 0) as cash_like_7d,
        coalesce(credit_purchases_90d, 0) as credit_purchases_90d
    )
    from aggregates
),
with_income as (
    select *,
        case when inflow_95d * 4 < inflow_365d or days_on_book < 365
             then inflow_95d * 4 else inflow_365d end          as sustained_income
    from complete
),
ratios as (
    select *,
        ratio(10000, on_time_365d, bills_due_365d)             as on_time_rate_bp,
        ratio(10000, sustained_income, inflow_365d)            as inflow_trend_bp,
        ratio(40000, outflow_90d, sustained_income)            as outflow_to_inflow_bp,
        ratio(10000, cash_like_90d, spend_90d)                 as cash_like_share_bp,
        ratio(10000, drawn, total_limit)                       as utilisation_bp,
        ratio(40000, total_balance, sustained_income)          as balance_to_inflow_bp,
        ratio(40000, billed_90d, sustained_income)             as bills_to_inflow_bp,
        ratio(40000, overdue_amount, sustained_income)         as overdue_to_inflow_bp,
        ratio(40000, total_limit, sustained_income)            as limit_to_inflow_bp,
        ratio(10000, round_cash_like_sum_90d, pay_later_limit) as cash_like_to_limit_bp,
        ratio(10000, cash_like_7d, pay_later_limit)            as burst_to_limit_bp
    from with_income
)
select *,
    case when bills_due_365d > 0 or oldest_open_days is not null
         then coalesce(oldest_open_days, 0) end                as days_past_due,
    case when bills_due_90d > 0 then late_bills_90d end        as recent_late_bills,
    case when total_balance <= 0 then 0 else balance_to_inflow_bp end  as debt_burden_bp,
    case when billed_90d = 0 then 0 else bills_to_inflow_bp end        as bill_burden_bp,
    case when overdue_amount = 0 then 0 else overdue_to_inflow_bp end  as arrears_burden_bp,
    case when round_cash_like_90d >= 3 and round_cash_like_sum_90d >= 300000
          and (coalesce(cash_like_to_limit_bp, 0) >= 6000 or coalesce(burst_to_limit_bp, 0) >= 5000)
          and coalesce(cash_like_share_bp, 0) >= 2500
         then 1 else 0 end                                     as cash_out_suspected
from ratios;
