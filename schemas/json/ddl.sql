CREATE TABLE IF NOT EXISTS "stock_position" (
  "sku" VARCHAR NOT NULL,
  "place" VARCHAR NOT NULL,
  "pool" VARCHAR NOT NULL,
  "on_hand" BIGINT NOT NULL,
  "allocated" BIGINT NOT NULL,
  "quarantined" BIGINT NOT NULL,
  "in_transit" BIGINT NOT NULL,
  "held_confirmed_seq" BIGINT NOT NULL,
  "available" BIGINT NOT NULL,
  "safety_stock" BIGINT NOT NULL,
  "days_of_cover" DOUBLE,
  "demand_rate" DOUBLE NOT NULL,
  "version" BIGINT NOT NULL,
  "as_of" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("sku", "place")
);
COMMENT ON TABLE "stock_position" IS 'The live position of one SKU at one place: absolute and versioned.';
COMMENT ON COLUMN "stock_position"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "stock_position"."place" IS 'store, forward warehouse or central warehouse';
COMMENT ON COLUMN "stock_position"."pool" IS 'the pool of places whose stock serves one promise';
COMMENT ON COLUMN "stock_position"."on_hand" IS 'physically at the place and sellable [units]';
COMMENT ON COLUMN "stock_position"."allocated" IS 'claimed by placed orders, not yet shipped [units]';
COMMENT ON COLUMN "stock_position"."quarantined" IS 'returned and not yet judged [units]';
COMMENT ON COLUMN "stock_position"."in_transit" IS 'sent here and not yet received [units]';
COMMENT ON COLUMN "stock_position"."held_confirmed_seq" IS 'number of the last confirmed hold inside this row; 0 without a hold gate';
COMMENT ON COLUMN "stock_position"."available" IS 'on hand - allocated - floor; below 0: oversold [units]';
COMMENT ON COLUMN "stock_position"."safety_stock" IS 'kept for uncertainty [units]';
COMMENT ON COLUMN "stock_position"."days_of_cover" IS 'available / demand rate; empty without demand [days]';
COMMENT ON COLUMN "stock_position"."demand_rate" IS 'units that leave to customers [units a day]';
COMMENT ON COLUMN "stock_position"."version" IS 'how many events are in this row; only ever grows';
COMMENT ON COLUMN "stock_position"."as_of" IS 'time of the newest event in this row';
CREATE TABLE IF NOT EXISTS "stock_alert" (
  "alert" VARCHAR NOT NULL,
  "alert_type" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "severity" VARCHAR NOT NULL,
  "sku" VARCHAR NOT NULL,
  "place" VARCHAR NOT NULL,
  "observed" BIGINT NOT NULL,
  "level" BIGINT NOT NULL,
  "clear_level" BIGINT NOT NULL,
  "shortfall" BIGINT NOT NULL,
  "claims" JSON NOT NULL,
  "evidence" JSON NOT NULL,
  "suggested_action" VARCHAR NOT NULL,
  "opened_at" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "cleared_at" TIMESTAMPTZ,
  PRIMARY KEY ("alert")
);
COMMENT ON TABLE "stock_alert" IS 'Alerts, open and cleared: at most one open for an alert type, SKU and place.';
COMMENT ON COLUMN "stock_alert"."alert" IS 'id, stable while the alert is open';
COMMENT ON COLUMN "stock_alert"."alert_type" IS 'oversell, negative_on_hand, stock_out or below_safety_stock';
COMMENT ON COLUMN "stock_alert"."status" IS 'raised, updated or cleared';
COMMENT ON COLUMN "stock_alert"."severity" IS 'critical, high or warning';
COMMENT ON COLUMN "stock_alert"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "stock_alert"."place" IS 'store or warehouse';
COMMENT ON COLUMN "stock_alert"."observed" IS 'the figure that is judged, as last seen [units]';
COMMENT ON COLUMN "stock_alert"."level" IS 'raised when the figure was below this [units]';
COMMENT ON COLUMN "stock_alert"."clear_level" IS 'cleared when the figure is this or more [units]';
COMMENT ON COLUMN "stock_alert"."shortfall" IS 'how far the figure is below the level, at least 0 [units]';
COMMENT ON COLUMN "stock_alert"."claims" IS 'the competing claims, newest first; `broke_floor` marks the one';
COMMENT ON COLUMN "stock_alert"."evidence" IS 'the events that led here: source, id, kind, quantity, time';
COMMENT ON COLUMN "stock_alert"."suggested_action" IS 'what a person may do about it';
COMMENT ON COLUMN "stock_alert"."opened_at" IS 'time of the event that opened it';
COMMENT ON COLUMN "stock_alert"."updated_at" IS 'time of the event that last changed it';
COMMENT ON COLUMN "stock_alert"."cleared_at" IS 'time of the event that cleared it';
CREATE TABLE IF NOT EXISTS "transfer_suggestion" (
  "suggestion" VARCHAR NOT NULL,
  "version" BIGINT NOT NULL,
  "status" VARCHAR NOT NULL,
  "sku" VARCHAR NOT NULL,
  "from_place" VARCHAR NOT NULL,
  "to_place" VARCHAR NOT NULL,
  "quantity" BIGINT NOT NULL,
  "pack_multiple" BIGINT NOT NULL,
  "mode" VARCHAR NOT NULL,
  "reason_codes" JSON NOT NULL,
  "donor_available_before" BIGINT NOT NULL,
  "donor_available_after" BIGINT NOT NULL,
  "donor_cover_before" DOUBLE,
  "donor_cover_after" DOUBLE,
  "taker_available_before" BIGINT NOT NULL,
  "taker_available_after" BIGINT NOT NULL,
  "taker_cover_before" DOUBLE,
  "taker_cover_after" DOUBLE,
  "expected_lost_sales_avoided" DOUBLE NOT NULL,
  "transport_cost" BIGINT NOT NULL,
  "net_benefit" BIGINT NOT NULL,
  "lead_time_h" DOUBLE NOT NULL,
  "needed_by" TIMESTAMPTZ NOT NULL,
  "not_after" TIMESTAMPTZ NOT NULL,
  "pegged_orders" JSON NOT NULL,
  "donor_version" BIGINT NOT NULL,
  "taker_version" BIGINT NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "supersedes" VARCHAR,
  "transfer" VARCHAR,
  PRIMARY KEY ("suggestion", "version")
);
COMMENT ON TABLE "transfer_suggestion" IS 'Suggested transfers between places, a row for every state a suggestion was in.';
COMMENT ON COLUMN "transfer_suggestion"."suggestion" IS 'id, the same through all states';
COMMENT ON COLUMN "transfer_suggestion"."version" IS 'number of the state, from 1';
COMMENT ON COLUMN "transfer_suggestion"."status" IS 'proposed, accepted, rejected, expired, superseded, shipped or executed';
COMMENT ON COLUMN "transfer_suggestion"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "transfer_suggestion"."from_place" IS 'the place that gives';
COMMENT ON COLUMN "transfer_suggestion"."to_place" IS 'the place that takes';
COMMENT ON COLUMN "transfer_suggestion"."quantity" IS 'to be moved [units]';
COMMENT ON COLUMN "transfer_suggestion"."pack_multiple" IS 'moves in whole multiples of this [units]';
COMMENT ON COLUMN "transfer_suggestion"."mode" IS 'reactive: a promise is at risk; proactive: cover is low';
COMMENT ON COLUMN "transfer_suggestion"."reason_codes" IS 'short stable names of the reasons';
COMMENT ON COLUMN "transfer_suggestion"."donor_available_before" IS 'at the giver before [units]';
COMMENT ON COLUMN "transfer_suggestion"."donor_available_after" IS 'at the giver without them [units]';
COMMENT ON COLUMN "transfer_suggestion"."donor_cover_before" IS 'cover before; empty without demand [days]';
COMMENT ON COLUMN "transfer_suggestion"."donor_cover_after" IS 'cover after; empty without demand [days]';
COMMENT ON COLUMN "transfer_suggestion"."taker_available_before" IS 'at the taker before [units]';
COMMENT ON COLUMN "transfer_suggestion"."taker_available_after" IS 'at the taker with them [units]';
COMMENT ON COLUMN "transfer_suggestion"."taker_cover_before" IS 'cover before; empty without demand [days]';
COMMENT ON COLUMN "transfer_suggestion"."taker_cover_after" IS 'cover after; empty without demand [days]';
COMMENT ON COLUMN "transfer_suggestion"."expected_lost_sales_avoided" IS 'at the taker over the horizon [units]';
COMMENT ON COLUMN "transfer_suggestion"."transport_cost" IS 'fixed, by distance and by unit [minor money units]';
COMMENT ON COLUMN "transfer_suggestion"."net_benefit" IS 'margin of the sales saved, less transport and the giver''s own expected loss [minor money units]';
COMMENT ON COLUMN "transfer_suggestion"."lead_time_h" IS 'from the request to the shelf [hours]';
COMMENT ON COLUMN "transfer_suggestion"."needed_by" IS 'when the taker is expected to run out';
COMMENT ON COLUMN "transfer_suggestion"."not_after" IS 'no answer or departure until then: it expires';
COMMENT ON COLUMN "transfer_suggestion"."pegged_orders" IS 'customer orders that wait for it';
COMMENT ON COLUMN "transfer_suggestion"."donor_version" IS 'version of the giver''s position it rests on';
COMMENT ON COLUMN "transfer_suggestion"."taker_version" IS 'version of the taker''s position it rests on';
COMMENT ON COLUMN "transfer_suggestion"."updated_at" IS 'when it came into this state';
COMMENT ON COLUMN "transfer_suggestion"."supersedes" IS 'the suggestion that this one replaces';
COMMENT ON COLUMN "transfer_suggestion"."transfer" IS 'number under which the goods travel';
CREATE TABLE IF NOT EXISTS "reservation" (
  "reservation" VARCHAR NOT NULL,
  "sku" VARCHAR NOT NULL,
  "place" VARCHAR NOT NULL,
  "state" VARCHAR NOT NULL,
  "quantity" BIGINT NOT NULL,
  "hold_seq" BIGINT NOT NULL,
  "order" VARCHAR,
  "channel" VARCHAR,
  "expires_at" TIMESTAMPTZ,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("reservation", "sku", "place")
);
COMMENT ON TABLE "reservation" IS 'What became of holds, as the hold gate told it: a row a reservation, SKU and place, in the newest state that was told. What moved to another place has a row at each.';
COMMENT ON COLUMN "reservation"."reservation" IS 'id of the hold, its caller''s';
COMMENT ON COLUMN "reservation"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "reservation"."place" IS 'the place of which units are claimed';
COMMENT ON COLUMN "reservation"."state" IS 'held, confirmed, released, expired or expired_short';
COMMENT ON COLUMN "reservation"."quantity" IS 'claimed by this line, or given back [units]';
COMMENT ON COLUMN "reservation"."hold_seq" IS 'number among the confirmed lines of the SKU and place, from 1; 0 in other states';
COMMENT ON COLUMN "reservation"."order" IS 'order that the hold is for';
COMMENT ON COLUMN "reservation"."channel" IS 'where the hold was made';
COMMENT ON COLUMN "reservation"."expires_at" IS 'when it lapses; empty unless held';
COMMENT ON COLUMN "reservation"."updated_at" IS 'time of the event that told this state';
COMMENT ON COLUMN "reservation"."version" IS 'from that event''s time; of two states the larger counts';
CREATE TABLE IF NOT EXISTS "footfall_15m" (
  "store" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "business_day" VARCHAR NOT NULL,
  "final" BIGINT NOT NULL,
  "entries" BIGINT NOT NULL,
  "exits" BIGINT NOT NULL,
  "orders" BIGINT NOT NULL,
  "items" BIGINT NOT NULL,
  "sales" BIGINT,
  "currency" VARCHAR,
  "service_mean_seconds" DOUBLE,
  "service_p90_seconds" DOUBLE,
  "waited_orders" BIGINT NOT NULL,
  "waited_mean_seconds" DOUBLE,
  "conversion" DOUBLE,
  "door_status" VARCHAR NOT NULL,
  "till_status" VARCHAR NOT NULL,
  "events" BIGINT NOT NULL,
  "as_of" TIMESTAMPTZ,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("store", "start")
);
COMMENT ON TABLE "footfall_15m" IS 'A quarter of an hour of a store: people, orders, service. Early figures while it is open, a final row when its time is over, a new version when something comes late.';
COMMENT ON COLUMN "footfall_15m"."store" IS 'shop';
COMMENT ON COLUMN "footfall_15m"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "footfall_15m"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "footfall_15m"."business_day" IS 'the store''s business day (YYYY-MM-DD) of the start';
COMMENT ON COLUMN "footfall_15m"."final" IS '1 when the time for its events is over, else 0';
COMMENT ON COLUMN "footfall_15m"."entries" IS 'came in, by all doors [people]';
COMMENT ON COLUMN "footfall_15m"."exits" IS 'went out, by all doors [people]';
COMMENT ON COLUMN "footfall_15m"."orders" IS 'orders rung up [orders]';
COMMENT ON COLUMN "footfall_15m"."items" IS 'in these orders [items]';
COMMENT ON COLUMN "footfall_15m"."sales" IS 'empty where currencies are mixed [minor money units]';
COMMENT ON COLUMN "footfall_15m"."currency" IS 'of sales; `mixed` if there are several';
COMMENT ON COLUMN "footfall_15m"."service_mean_seconds" IS 'mean of the orders [seconds]';
COMMENT ON COLUMN "footfall_15m"."service_p90_seconds" IS 'the shortest time within which nine orders of ten were served [seconds]';
COMMENT ON COLUMN "footfall_15m"."waited_orders" IS 'orders whose wait was measured [orders]';
COMMENT ON COLUMN "footfall_15m"."waited_mean_seconds" IS 'mean of those waits [seconds]';
COMMENT ON COLUMN "footfall_15m"."conversion" IS 'orders / entries; empty without entries';
COMMENT ON COLUMN "footfall_15m"."door_status" IS 'ok; silent: a door is dead, entries are too low; closed';
COMMENT ON COLUMN "footfall_15m"."till_status" IS 'ok; silent: a till is dead, orders are too low; closed';
COMMENT ON COLUMN "footfall_15m"."events" IS 'events in this row';
COMMENT ON COLUMN "footfall_15m"."as_of" IS 'time of the newest event in this row';
COMMENT ON COLUMN "footfall_15m"."version" IS 'grows with every change of the row';
CREATE TABLE IF NOT EXISTS "employee_work_15m" (
  "store" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "employee" VARCHAR NOT NULL,
  "task" VARCHAR NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "business_day" VARCHAR NOT NULL,
  "orders" BIGINT NOT NULL,
  "items" BIGINT NOT NULL,
  "service_seconds" DOUBLE NOT NULL,
  "expected_seconds" DOUBLE,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("store", "start", "employee", "task")
);
COMMENT ON TABLE "employee_work_15m" IS 'What one employee did at one task in a quarter of an hour of a store.';
COMMENT ON COLUMN "employee_work_15m"."store" IS 'shop';
COMMENT ON COLUMN "employee_work_15m"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "employee_work_15m"."employee" IS 'pseudonym';
COMMENT ON COLUMN "employee_work_15m"."task" IS 'as the till has it; `till` where it says nothing';
COMMENT ON COLUMN "employee_work_15m"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "employee_work_15m"."business_day" IS 'the store''s business day (YYYY-MM-DD) of the start';
COMMENT ON COLUMN "employee_work_15m"."orders" IS 'orders served [orders]';
COMMENT ON COLUMN "employee_work_15m"."items" IS 'in these orders [items]';
COMMENT ON COLUMN "employee_work_15m"."service_seconds" IS 'time of service, summed [seconds]';
COMMENT ON COLUMN "employee_work_15m"."expected_seconds" IS 'what these orders and items take in this store; empty while nothing is known [seconds]';
COMMENT ON COLUMN "employee_work_15m"."version" IS 'how many orders are in the row; only ever grows';
CREATE TABLE IF NOT EXISTS "forecast_15m" (
  "store" VARCHAR NOT NULL,
  "measure" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "mean" DOUBLE NOT NULL,
  "low_80" BIGINT NOT NULL,
  "high_80" BIGINT NOT NULL,
  "low_95" BIGINT NOT NULL,
  "high_95" BIGINT NOT NULL,
  "model" VARCHAR NOT NULL,
  "why" VARCHAR NOT NULL,
  "update" VARCHAR,
  "known_until" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "measure", "start")
);
COMMENT ON TABLE "forecast_15m" IS 'What is to be expected in a quarter of an hour of a store. Closed quarters have no row. Bands are calibrated for quarters; those of hours and days are in forecast_span.';
COMMENT ON COLUMN "forecast_15m"."store" IS 'shop';
COMMENT ON COLUMN "forecast_15m"."measure" IS 'entries or orders';
COMMENT ON COLUMN "forecast_15m"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "forecast_15m"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "forecast_15m"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "forecast_15m"."mean" IS 'expected [people or orders]';
COMMENT ON COLUMN "forecast_15m"."low_80" IS 'low end of what is inside with 80% [people or orders]';
COMMENT ON COLUMN "forecast_15m"."high_80" IS 'high end of the same [people or orders]';
COMMENT ON COLUMN "forecast_15m"."low_95" IS 'low end of what is inside with 95% [people or orders]';
COMMENT ON COLUMN "forecast_15m"."high_95" IS 'high end of the same [people or orders]';
COMMENT ON COLUMN "forecast_15m"."model" IS 'the model that said it';
COMMENT ON COLUMN "forecast_15m"."why" IS 'why this model: its accuracy in the backtest beside the others''';
COMMENT ON COLUMN "forecast_15m"."update" IS 'what of the day itself has changed it; empty: nothing';
COMMENT ON COLUMN "forecast_15m"."known_until" IS 'end of the last final window it rests on';
COMMENT ON COLUMN "forecast_15m"."updated_at" IS 'when it was made; a newer one replaces it';
CREATE TABLE IF NOT EXISTS "forecast_span" (
  "store" VARCHAR NOT NULL,
  "measure" VARCHAR NOT NULL,
  "span" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "mean" DOUBLE NOT NULL,
  "low_80" BIGINT NOT NULL,
  "high_80" BIGINT NOT NULL,
  "low_95" BIGINT NOT NULL,
  "high_95" BIGINT NOT NULL,
  "model" VARCHAR NOT NULL,
  "why" VARCHAR NOT NULL,
  "update" VARCHAR,
  "known_until" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "measure", "span", "start")
);
COMMENT ON TABLE "forecast_span" IS 'What is to be expected in an hour or a day of a store, with bands of its own: sums of the bands of quarters would be far too wide.';
COMMENT ON COLUMN "forecast_span"."store" IS 'shop';
COMMENT ON COLUMN "forecast_span"."measure" IS 'entries or orders';
COMMENT ON COLUMN "forecast_span"."span" IS 'hour or day';
COMMENT ON COLUMN "forecast_span"."start" IS 'begin of its first open quarter';
COMMENT ON COLUMN "forecast_span"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "forecast_span"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "forecast_span"."mean" IS 'expected [people or orders]';
COMMENT ON COLUMN "forecast_span"."low_80" IS 'low end of what is inside with 80% [people or orders]';
COMMENT ON COLUMN "forecast_span"."high_80" IS 'high end of the same [people or orders]';
COMMENT ON COLUMN "forecast_span"."low_95" IS 'low end of what is inside with 95% [people or orders]';
COMMENT ON COLUMN "forecast_span"."high_95" IS 'high end of the same [people or orders]';
COMMENT ON COLUMN "forecast_span"."model" IS 'the model that said it';
COMMENT ON COLUMN "forecast_span"."why" IS 'why this model: its accuracy in the backtest beside the others''';
COMMENT ON COLUMN "forecast_span"."update" IS 'what of the day itself has changed it; empty: nothing';
COMMENT ON COLUMN "forecast_span"."known_until" IS 'end of the last final window it rests on';
COMMENT ON COLUMN "forecast_span"."updated_at" IS 'when it was made; a newer one replaces it';
CREATE TABLE IF NOT EXISTS "staffing_15m" (
  "store" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "task" VARCHAR NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "arrivals" DOUBLE,
  "needed" BIGINT NOT NULL,
  "scheduled" BIGINT,
  "gap" BIGINT,
  "wait_seconds" DOUBLE,
  "left" DOUBLE,
  "measure" VARCHAR,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "start", "task")
);
COMMENT ON TABLE "staffing_15m" IS 'Heads needed at a task in a quarter of an hour to come, beside those of the published roster. What has begun keeps the row it had.';
COMMENT ON COLUMN "staffing_15m"."store" IS 'shop';
COMMENT ON COLUMN "staffing_15m"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "staffing_15m"."task" IS 'as the shop''s roster file names it';
COMMENT ON COLUMN "staffing_15m"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "staffing_15m"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "staffing_15m"."arrivals" IS 'expected; empty where heads are given [customers]';
COMMENT ON COLUMN "staffing_15m"."needed" IS 'heads that keep the goal of the task [people]';
COMMENT ON COLUMN "staffing_15m"."scheduled" IS 'serving by the published roster, duties taken off; empty without one [people]';
COMMENT ON COLUMN "staffing_15m"."gap" IS 'scheduled - needed; below 0: too few [people]';
COMMENT ON COLUMN "staffing_15m"."wait_seconds" IS 'expected mean wait with those scheduled, or with those needed without a roster [seconds]';
COMMENT ON COLUMN "staffing_15m"."left" IS 'expected to give up, as for the wait [customers]';
COMMENT ON COLUMN "staffing_15m"."measure" IS 'orders or entries: what arrivals follow';
COMMENT ON COLUMN "staffing_15m"."updated_at" IS 'when it was made; a newer one replaces it';
CREATE TABLE IF NOT EXISTS "staffing_alert" (
  "alert" VARCHAR NOT NULL,
  "alert_type" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "severity" VARCHAR NOT NULL,
  "store" VARCHAR NOT NULL,
  "task" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "starts" VARCHAR NOT NULL,
  "ends" VARCHAR NOT NULL,
  "heads" BIGINT NOT NULL,
  "amount" BIGINT NOT NULL,
  "level" BIGINT NOT NULL,
  "clear_level" BIGINT NOT NULL,
  "measure" VARCHAR,
  "off" DOUBLE,
  "since" VARCHAR,
  "reason" VARCHAR NOT NULL,
  "proposals" JSON NOT NULL,
  "opened_at" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "cleared_at" TIMESTAMPTZ,
  PRIMARY KEY ("alert")
);
COMMENT ON TABLE "staffing_alert" IS 'A stretch of a running day where the roster is off the need: raised, updated, cleared. One open alert a store, task and stretch.';
COMMENT ON COLUMN "staffing_alert"."alert" IS 'id, stable while it is open';
COMMENT ON COLUMN "staffing_alert"."alert_type" IS 'short_staffed or over_staffed';
COMMENT ON COLUMN "staffing_alert"."status" IS 'raised, updated or cleared';
COMMENT ON COLUMN "staffing_alert"."severity" IS 'high or warning';
COMMENT ON COLUMN "staffing_alert"."store" IS 'shop';
COMMENT ON COLUMN "staffing_alert"."task" IS 'as the shop''s roster file names it';
COMMENT ON COLUMN "staffing_alert"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "staffing_alert"."starts" IS 'wall clock of the shop (HH:MM)';
COMMENT ON COLUMN "staffing_alert"."ends" IS 'wall clock of the shop (HH:MM)';
COMMENT ON COLUMN "staffing_alert"."heads" IS 'at the worst moment, missing or too many [people]';
COMMENT ON COLUMN "staffing_alert"."amount" IS 'heads times quarters of an hour [head-intervals]';
COMMENT ON COLUMN "staffing_alert"."level" IS 'raised at this amount or more [head-intervals]';
COMMENT ON COLUMN "staffing_alert"."clear_level" IS 'cleared below it [head-intervals]';
COMMENT ON COLUMN "staffing_alert"."measure" IS 'orders or entries: what the need follows';
COMMENT ON COLUMN "staffing_alert"."off" IS 'came / forecast - 1 until now; empty: nothing came';
COMMENT ON COLUMN "staffing_alert"."since" IS 'from when that is counted (HH:MM)';
COMMENT ON COLUMN "staffing_alert"."reason" IS 'why, in words';
COMMENT ON COLUMN "staffing_alert"."proposals" IS 'what could be done, each of it legal, cheapest first';
COMMENT ON COLUMN "staffing_alert"."opened_at" IS 'when it was raised';
COMMENT ON COLUMN "staffing_alert"."updated_at" IS 'when it was looked at for this state';
COMMENT ON COLUMN "staffing_alert"."cleared_at" IS 'when it was over';
CREATE TABLE IF NOT EXISTS "roster_shift" (
  "store" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "employee" VARCHAR NOT NULL,
  "starts" VARCHAR NOT NULL,
  "ends" VARCHAR NOT NULL,
  "break_starts" VARCHAR,
  "break_minutes" BIGINT NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "end" TIMESTAMPTZ NOT NULL,
  "work_minutes" BIGINT NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "day", "employee")
);
COMMENT ON TABLE "roster_shift" IS 'Who works when, as published: one shift of a person''s day. Publishing again replaces all rows of the shop''s days.';
COMMENT ON COLUMN "roster_shift"."store" IS 'shop';
COMMENT ON COLUMN "roster_shift"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "roster_shift"."employee" IS 'pseudonym';
COMMENT ON COLUMN "roster_shift"."starts" IS 'wall clock of the shop (HH:MM)';
COMMENT ON COLUMN "roster_shift"."ends" IS 'wall clock of the shop (HH:MM); 24:00 is the day''s end';
COMMENT ON COLUMN "roster_shift"."break_starts" IS 'wall clock of the break; empty: none';
COMMENT ON COLUMN "roster_shift"."break_minutes" IS 'length of the break [minutes]';
COMMENT ON COLUMN "roster_shift"."start" IS 'begin of the shift';
COMMENT ON COLUMN "roster_shift"."end" IS 'end of the shift';
COMMENT ON COLUMN "roster_shift"."work_minutes" IS 'by the wall clock, the break taken off [minutes]';
COMMENT ON COLUMN "roster_shift"."updated_at" IS 'when the roster was published; a newer one replaces';
CREATE TABLE IF NOT EXISTS "roster_task_15m" (
  "store" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "employee" VARCHAR NOT NULL,
  "local_start" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "task" VARCHAR,
  "on_break" BIGINT NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "start", "employee")
);
COMMENT ON TABLE "roster_task_15m" IS 'What everybody is to do in each quarter of an hour of their shift. Duties (opening, deliveries) are in roster_duty: whoever is at their task does them.';
COMMENT ON COLUMN "roster_task_15m"."store" IS 'shop';
COMMENT ON COLUMN "roster_task_15m"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "roster_task_15m"."employee" IS 'pseudonym';
COMMENT ON COLUMN "roster_task_15m"."local_start" IS 'the same in the store''s own time, with its offset';
COMMENT ON COLUMN "roster_task_15m"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "roster_task_15m"."task" IS 'empty in the break, and where there is nothing to do';
COMMENT ON COLUMN "roster_task_15m"."on_break" IS '1 in the break, else 0';
COMMENT ON COLUMN "roster_task_15m"."updated_at" IS 'when the roster was published; a newer one replaces';
CREATE TABLE IF NOT EXISTS "roster_duty" (
  "store" VARCHAR NOT NULL,
  "start" TIMESTAMPTZ NOT NULL,
  "duty" VARCHAR NOT NULL,
  "day" VARCHAR NOT NULL,
  "starts" VARCHAR NOT NULL,
  "task" VARCHAR NOT NULL,
  "heads" BIGINT NOT NULL,
  "minutes" BIGINT NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  PRIMARY KEY ("store", "start", "duty")
);
COMMENT ON TABLE "roster_duty" IS 'When each duty of a published roster is done; it takes heads off its task.';
COMMENT ON COLUMN "roster_duty"."store" IS 'shop';
COMMENT ON COLUMN "roster_duty"."start" IS 'begin of the 15 minutes of real time';
COMMENT ON COLUMN "roster_duty"."duty" IS 'name of the duty';
COMMENT ON COLUMN "roster_duty"."day" IS 'the store''s local day (YYYY-MM-DD)';
COMMENT ON COLUMN "roster_duty"."starts" IS 'wall clock of the shop (HH:MM)';
COMMENT ON COLUMN "roster_duty"."task" IS 'whose people do it';
COMMENT ON COLUMN "roster_duty"."heads" IS 'people it takes [people]';
COMMENT ON COLUMN "roster_duty"."minutes" IS 'how long it takes [minutes]';
COMMENT ON COLUMN "roster_duty"."updated_at" IS 'when the roster was published; a newer one replaces';
CREATE TABLE IF NOT EXISTS "dead_letter" (
  "source" VARCHAR NOT NULL,
  "position" BIGINT NOT NULL,
  "reason_code" VARCHAR NOT NULL,
  "reason" VARCHAR NOT NULL,
  "event_source" VARCHAR,
  "event_id" VARCHAR,
  "event_time" TIMESTAMPTZ,
  "raw" BLOB NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("source", "position")
);
COMMENT ON TABLE "dead_letter" IS 'What could not be used, where it stood and why. Nothing is dropped in silence.';
COMMENT ON COLUMN "dead_letter"."source" IS 'file or topic partition';
COMMENT ON COLUMN "dead_letter"."position" IS 'line of the file, counted from 1, or offset of the topic';
COMMENT ON COLUMN "dead_letter"."reason_code" IS 'short stable name of the reason';
COMMENT ON COLUMN "dead_letter"."reason" IS 'the reason in words, with what to do';
COMMENT ON COLUMN "dead_letter"."event_source" IS '`source` of the event, where it was readable';
COMMENT ON COLUMN "dead_letter"."event_id" IS '`id` of the event, where it was readable';
COMMENT ON COLUMN "dead_letter"."event_time" IS '`time` of the event, where it was readable';
COMMENT ON COLUMN "dead_letter"."raw" IS 'the bytes as they came, cut after 64 KiB';
COMMENT ON COLUMN "dead_letter"."version" IS 'always 1: a dead letter never changes';
CREATE TABLE IF NOT EXISTS "member_state" (
  "member" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "survivor" VARCHAR,
  "segment" VARCHAR,
  "segment_zh" VARCHAR,
  "segment_en" VARCHAR,
  "recency_near" BIGINT,
  "frequency_high" BIGINT,
  "monetary_high" BIGINT,
  "last_at" TIMESTAMPTZ,
  "frequency" BIGINT NOT NULL,
  "monetary" BIGINT NOT NULL,
  "currency" VARCHAR NOT NULL,
  "orders" BIGINT NOT NULL,
  "first_at" TIMESTAMPTZ,
  "purchase_days" BIGINT NOT NULL,
  "segment_since" TIMESTAMPTZ,
  "next_change_at" TIMESTAMPTZ,
  "thresholds" BIGINT NOT NULL,
  "registered_at" TIMESTAMPTZ,
  "home_store" VARCHAR,
  "timezone" VARCHAR,
  "consents" JSON NOT NULL,
  "as_of" TIMESTAMPTZ,
  "health" BIGINT,
  "health_band" VARCHAR,
  "health_drivers" JSON,
  "health_at" TIMESTAMPTZ,
  "health_changes_at" TIMESTAMPTZ,
  "health_model" VARCHAR,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("member")
);
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health" BIGINT;
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health_band" VARCHAR;
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health_drivers" JSON;
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health_at" TIMESTAMPTZ;
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health_changes_at" TIMESTAMPTZ;
ALTER TABLE "member_state" ADD COLUMN IF NOT EXISTS "health_model" VARCHAR;
COMMENT ON TABLE "member_state" IS 'A member as known now: recency, frequency, monetary without what was given back, and the segment. A change by time alone is written when it happens.';
COMMENT ON COLUMN "member_state"."member" IS 'pseudonym';
COMMENT ON COLUMN "member_state"."status" IS 'active; merged: counts for `survivor`; erased: nothing is kept';
COMMENT ON COLUMN "member_state"."survivor" IS 'the id that a merged one counts for';
COMMENT ON COLUMN "member_state"."segment" IS 'one of eight; empty without any purchase';
COMMENT ON COLUMN "member_state"."segment_zh" IS 'its name in Chinese';
COMMENT ON COLUMN "member_state"."segment_en" IS 'its name in English';
COMMENT ON COLUMN "member_state"."recency_near" IS '1: the last purchase is near';
COMMENT ON COLUMN "member_state"."frequency_high" IS '1: at or above the threshold';
COMMENT ON COLUMN "member_state"."monetary_high" IS '1: at or above the threshold';
COMMENT ON COLUMN "member_state"."last_at" IS 'last purchase that was not given back';
COMMENT ON COLUMN "member_state"."frequency" IS 'in the frequency window [visits]';
COMMENT ON COLUMN "member_state"."monetary" IS 'in the monetary window [minor money units]';
COMMENT ON COLUMN "member_state"."currency" IS 'of monetary';
COMMENT ON COLUMN "member_state"."orders" IS 'in the monetary window, not given back [receipts]';
COMMENT ON COLUMN "member_state"."first_at" IS 'first purchase that was not given back';
COMMENT ON COLUMN "member_state"."purchase_days" IS 'days with a purchase since the first one [days]';
COMMENT ON COLUMN "member_state"."segment_since" IS 'when it came into the segment';
COMMENT ON COLUMN "member_state"."next_change_at" IS 'when a window next expires';
COMMENT ON COLUMN "member_state"."thresholds" IS 'version of the thresholds it is judged by';
COMMENT ON COLUMN "member_state"."registered_at" IS 'when it became a member';
COMMENT ON COLUMN "member_state"."home_store" IS 'shop';
COMMENT ON COLUMN "member_state"."timezone" IS 'its own, where it is known';
COMMENT ON COLUMN "member_state"."consents" IS 'what it said, by purpose/channel: status, at, text, evidence';
COMMENT ON COLUMN "member_state"."as_of" IS 'time of its newest event';
COMMENT ON COLUMN "member_state"."health" IS 'chance to buy in 30 days, at health_at [percent]';
COMMENT ON COLUMN "member_state"."health_band" IS 'at_risk, watch or healthy';
COMMENT ON COLUMN "member_state"."health_drivers" IS 'what drives it, strongest first: odds, why';
COMMENT ON COLUMN "member_state"."health_at" IS 'its newest event, or a change of band since';
COMMENT ON COLUMN "member_state"."health_changes_at" IS 'when the band changes by time alone';
COMMENT ON COLUMN "member_state"."health_model" IS 'version of the model';
COMMENT ON COLUMN "member_state"."version" IS '1 once it was ever merged; of the same, the last row counts';
CREATE TABLE IF NOT EXISTS "member_transition" (
  "member" VARCHAR NOT NULL,
  "number" BIGINT NOT NULL,
  "changed_at" TIMESTAMPTZ NOT NULL,
  "from_segment" VARCHAR,
  "to_segment" VARCHAR,
  "cause" VARCHAR NOT NULL,
  "origin" VARCHAR NOT NULL,
  "event" VARCHAR,
  "last_at" TIMESTAMPTZ,
  "frequency" BIGINT NOT NULL,
  "monetary" BIGINT NOT NULL,
  "thresholds" BIGINT NOT NULL,
  "dwell_seconds" DOUBLE,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("member", "number")
);
COMMENT ON TABLE "member_transition" IS 'Changes of segment as they were told, with what caused them.';
COMMENT ON COLUMN "member_transition"."member" IS 'pseudonym';
COMMENT ON COLUMN "member_transition"."number" IS 'of the member''s changes, from 1';
COMMENT ON COLUMN "member_transition"."changed_at" IS 'when it came true';
COMMENT ON COLUMN "member_transition"."from_segment" IS 'empty: none before';
COMMENT ON COLUMN "member_transition"."to_segment" IS 'empty: none any more';
COMMENT ON COLUMN "member_transition"."cause" IS 'purchase, refund, time, thresholds, merge or unmerge';
COMMENT ON COLUMN "member_transition"."origin" IS 'live, backfill, replay or correction: of what caused it';
COMMENT ON COLUMN "member_transition"."event" IS '`source` and `id` of what caused it';
COMMENT ON COLUMN "member_transition"."last_at" IS 'last purchase, then';
COMMENT ON COLUMN "member_transition"."frequency" IS 'then [visits]';
COMMENT ON COLUMN "member_transition"."monetary" IS 'then [minor money units]';
COMMENT ON COLUMN "member_transition"."thresholds" IS 'version of the thresholds, then';
COMMENT ON COLUMN "member_transition"."dwell_seconds" IS 'how long it was in the segment before [seconds]';
COMMENT ON COLUMN "member_transition"."version" IS 'always 1: what was told is not told otherwise';
CREATE TABLE IF NOT EXISTS "message" (
  "message" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "journey" VARCHAR NOT NULL,
  "journey_version" VARCHAR NOT NULL,
  "entry" VARCHAR NOT NULL,
  "step" VARCHAR NOT NULL,
  "action" VARCHAR NOT NULL,
  "decision" VARCHAR NOT NULL,
  "reason" VARCHAR NOT NULL,
  "decided_at" TIMESTAMPTZ NOT NULL,
  "first_due" TIMESTAMPTZ NOT NULL,
  "next_at" TIMESTAMPTZ,
  "not_after" TIMESTAMPTZ NOT NULL,
  "message_class" VARCHAR,
  "channels" JSON NOT NULL,
  "first_available" BIGINT NOT NULL,
  "text" VARCHAR NOT NULL,
  "template" VARCHAR NOT NULL,
  "gift" VARCHAR,
  "valid_seconds" BIGINT,
  "tags" JSON NOT NULL,
  "held_out" BIGINT NOT NULL,
  "experiment" VARCHAR NOT NULL,
  "arm" VARCHAR NOT NULL,
  "zone" VARCHAR NOT NULL,
  "segment" VARCHAR,
  "visits" BIGINT NOT NULL,
  "spent" BIGINT NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("message")
);
COMMENT ON TABLE "message" IS 'What journeys decided to do to members: messages, gifts, tags, words to staff. A row that says `go` is to be done once for its id and is never taken back.';
COMMENT ON COLUMN "message"."message" IS 'id: of member, journey, its version, step and entry';
COMMENT ON COLUMN "message"."member" IS 'pseudonym';
COMMENT ON COLUMN "message"."journey" IS 'its name';
COMMENT ON COLUMN "message"."journey_version" IS 'the operator''s number and a hash of what it does';
COMMENT ON COLUMN "message"."entry" IS 'what let the member in: an event, or an instant';
COMMENT ON COLUMN "message"."step" IS 'place or name of the step in the file';
COMMENT ON COLUMN "message"."action" IS 'send, give, set or notify_staff';
COMMENT ON COLUMN "message"."decision" IS 'go; defer: judged again at next_at; suppress: never';
COMMENT ON COLUMN "message"."reason" IS 'of defer and suppress: quiet, cap, consent, objected, holdout, expired';
COMMENT ON COLUMN "message"."decided_at" IS 'when';
COMMENT ON COLUMN "message"."first_due" IS 'when it would have been done without being put off';
COMMENT ON COLUMN "message"."next_at" IS 'defer: when it is judged again';
COMMENT ON COLUMN "message"."not_after" IS 'done later than this it does harm';
COMMENT ON COLUMN "message"."message_class" IS 'send: marketing or service';
COMMENT ON COLUMN "message"."channels" IS 'send: those that may be used, in the order to try them';
COMMENT ON COLUMN "message"."first_available" IS 'send: 1 the first one, 0 all of them';
COMMENT ON COLUMN "message"."text" IS 'what is said, empty with a template';
COMMENT ON COLUMN "message"."template" IS 'name of the channel''s template';
COMMENT ON COLUMN "message"."gift" IS 'give: what';
COMMENT ON COLUMN "message"."valid_seconds" IS 'give: how long it can be used [seconds]';
COMMENT ON COLUMN "message"."tags" IS 'set: names and values';
COMMENT ON COLUMN "message"."held_out" IS '1: in the control, so that nothing is done';
COMMENT ON COLUMN "message"."experiment" IS 'the last one on the way, or empty';
COMMENT ON COLUMN "message"."arm" IS 'the member''s arm of it';
COMMENT ON COLUMN "message"."zone" IS 'whose clock quiet hours went by';
COMMENT ON COLUMN "message"."segment" IS 'then';
COMMENT ON COLUMN "message"."visits" IS 'then [visits]';
COMMENT ON COLUMN "message"."spent" IS 'then [minor money units]';
COMMENT ON COLUMN "message"."version" IS '0 defer, 1 suppress, 2 go: the larger one stands';
CREATE TABLE IF NOT EXISTS "message_delivery" (
  "message" VARCHAR NOT NULL,
  "channel" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "reason" VARCHAR NOT NULL,
  "provider" VARCHAR NOT NULL,
  "provider_id" VARCHAR NOT NULL,
  "provider_code" VARCHAR NOT NULL,
  "attempts" BIGINT NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("message", "channel")
);
COMMENT ON TABLE "message_delivery" IS 'What became of a message in a channel; a message that could not go in one has a row for the next one, too.';
COMMENT ON COLUMN "message_delivery"."message" IS 'id, as in the table message';
COMMENT ON COLUMN "message_delivery"."channel" IS 'as journeys name it; coupons: issued at the coupon desk';
COMMENT ON COLUMN "message_delivery"."member" IS 'pseudonym';
COMMENT ON COLUMN "message_delivery"."status" IS 'accepted by the provider, delivered, failed or unknown';
COMMENT ON COLUMN "message_delivery"."reason" IS 'of failed: expired, consent, erased, quiet, no_address, no_credit, no_template, no_channel, no_gift, refused, gave_up, not_delivered; of coupons also no_campaign, stopped, budget_issued, budget_redeemed, budget_money, per_member';
COMMENT ON COLUMN "message_delivery"."provider" IS 'who sends, or sandbox, offers, coupons';
COMMENT ON COLUMN "message_delivery"."provider_id" IS 'the provider''s id of the message, where it gave one';
COMMENT ON COLUMN "message_delivery"."provider_code" IS 'the provider''s last code';
COMMENT ON COLUMN "message_delivery"."attempts" IS 'requests that left [requests]';
COMMENT ON COLUMN "message_delivery"."at" IS 'when it came to be so';
COMMENT ON COLUMN "message_delivery"."version" IS 'microseconds since 1970 of `at`';
CREATE TABLE IF NOT EXISTS "journey_run" (
  "member" VARCHAR NOT NULL,
  "journey" VARCHAR NOT NULL,
  "journey_version" VARCHAR NOT NULL,
  "entry" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "reason" VARCHAR NOT NULL,
  "step" VARCHAR NOT NULL,
  "entered_at" TIMESTAMPTZ NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "next_at" TIMESTAMPTZ,
  "held_out" BIGINT NOT NULL,
  "experiment" VARCHAR NOT NULL,
  "arm" VARCHAR NOT NULL,
  "regret" BIGINT NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("member", "journey", "entry")
);
COMMENT ON TABLE "journey_run" IS 'Where members stand in journeys, or why they have left.';
COMMENT ON COLUMN "journey_run"."member" IS 'pseudonym';
COMMENT ON COLUMN "journey_run"."journey" IS 'its name';
COMMENT ON COLUMN "journey_run"."journey_version" IS 'the one that the member came into and stays in';
COMMENT ON COLUMN "journey_run"."entry" IS 'what let the member in: an event, or an instant';
COMMENT ON COLUMN "journey_run"."status" IS 'waiting or exited';
COMMENT ON COLUMN "journey_run"."reason" IS 'of exited: done, goal, purchase, refund, opted_out, condition, cap, expired, merged, or the file''s own';
COMMENT ON COLUMN "journey_run"."step" IS 'place or name of the step';
COMMENT ON COLUMN "journey_run"."entered_at" IS 'when it came in';
COMMENT ON COLUMN "journey_run"."at" IS 'when it came to where it stands';
COMMENT ON COLUMN "journey_run"."next_at" IS 'when it goes on';
COMMENT ON COLUMN "journey_run"."held_out" IS '1: in the control';
COMMENT ON COLUMN "journey_run"."experiment" IS 'the last one on the way, or empty';
COMMENT ON COLUMN "journey_run"."arm" IS 'the member''s arm of it';
COMMENT ON COLUMN "journey_run"."regret" IS '1: something was done before a purchase was known that was earlier';
COMMENT ON COLUMN "journey_run"."version" IS 'microseconds since 1970 of `at`';
CREATE TABLE IF NOT EXISTS "experiment_result" (
  "journey" VARCHAR NOT NULL,
  "journey_version" VARCHAR NOT NULL,
  "experiment" VARCHAR NOT NULL,
  "as_of" TIMESTAMPTZ NOT NULL,
  "metric" VARCHAR NOT NULL,
  "arm" VARCHAR NOT NULL,
  "against" VARCHAR NOT NULL,
  "control" VARCHAR NOT NULL,
  "goal" VARCHAR NOT NULL,
  "guardrail" BIGINT NOT NULL,
  "scale" VARCHAR NOT NULL,
  "members" BIGINT NOT NULL,
  "mean" DOUBLE NOT NULL,
  "value" DOUBLE,
  "low" DOUBLE,
  "high" DOUBLE,
  "error" DOUBLE,
  "clear" BIGINT,
  "reduced_value" DOUBLE,
  "reduced_low" DOUBLE,
  "reduced_high" DOUBLE,
  "reduced_error" DOUBLE,
  "reduced_clear" BIGINT,
  "reduced" DOUBLE,
  "harm" VARCHAR NOT NULL,
  "alpha" DOUBLE NOT NULL,
  "once" BIGINT NOT NULL,
  "decided_on" VARCHAR NOT NULL,
  "verdict" VARCHAR NOT NULL,
  "verdict_arm" VARCHAR NOT NULL,
  "words" JSON NOT NULL,
  "split_p" DOUBLE NOT NULL,
  "split_p_always" DOUBLE NOT NULL,
  "split_alarm" BIGINT NOT NULL,
  "multiple" BIGINT NOT NULL,
  "days" DOUBLE NOT NULL,
  "within" DOUBLE,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("journey", "journey_version", "experiment", "as_of", "metric", "arm", "against")
);
COMMENT ON TABLE "experiment_result" IS 'What an experiment showed at a look: its control, and every arm against the control and against the arms before it, metric by metric. A look at the same facts writes the same rows; a later one leaves the earlier.';
COMMENT ON COLUMN "experiment_result"."journey" IS 'its name; empty: read from a table of people';
COMMENT ON COLUMN "experiment_result"."journey_version" IS 'the one that was read, or empty';
COMMENT ON COLUMN "experiment_result"."experiment" IS 'its name; empty: a holdout alone';
COMMENT ON COLUMN "experiment_result"."as_of" IS 'the look: nothing later counts. The newest purchase; of a table of people the newest exposure';
COMMENT ON COLUMN "experiment_result"."metric" IS 'spent, margin, bought, opted_out, or the table''s own';
COMMENT ON COLUMN "experiment_result"."arm" IS 'whose figures these are';
COMMENT ON COLUMN "experiment_result"."against" IS 'the arm that it is compared with; empty for the control';
COMMENT ON COLUMN "experiment_result"."control" IS 'the look''s control';
COMMENT ON COLUMN "experiment_result"."goal" IS 'the metric that decides';
COMMENT ON COLUMN "experiment_result"."guardrail" IS '1: this metric may stop a roll-out';
COMMENT ON COLUMN "experiment_result"."scale" IS 'rate: share of members; money: minor units; number';
COMMENT ON COLUMN "experiment_result"."members" IS 'of the arm, whose days are over [members]';
COMMENT ON COLUMN "experiment_result"."mean" IS 'of the arm''s members [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."value" IS 'mean of the arm less that of `against`, as it is; empty for the control [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."low" IS 'where its interval begins; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."high" IS 'where its interval ends; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."error" IS 'its standard error; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."clear" IS '1: 0 is outside of the interval';
COMMENT ON COLUMN "experiment_result"."reduced_value" IS 'mean of the arm less that of `against`, with variance reduction; empty without a figure from before; empty for the control [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."reduced_low" IS 'where its interval begins; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."reduced_high" IS 'where its interval ends; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."reduced_error" IS 'its standard error; empty: too few [share of members, minor money units or the metric''s own, see scale]';
COMMENT ON COLUMN "experiment_result"."reduced_clear" IS '1: 0 is outside of the interval';
COMMENT ON COLUMN "experiment_result"."reduced" IS 'of the variance, what its reduction took away [share]';
COMMENT ON COLUMN "experiment_result"."harm" IS 'of a guardrail: why it stops the arm, or empty';
COMMENT ON COLUMN "experiment_result"."alpha" IS 'of the interval: all pairs of arms keep the experiment''s together [probability]';
COMMENT ON COLUMN "experiment_result"."once" IS '1: interval for one look at a fixed number; 0: for any number of looks';
COMMENT ON COLUMN "experiment_result"."decided_on" IS 'plain or reduced: the goal''s difference that the verdict rests on';
COMMENT ON COLUMN "experiment_result"."verdict" IS 'of the look: broken, wait, roll_out, harmful, guarded, no_matter';
COMMENT ON COLUMN "experiment_result"."verdict_arm" IS 'the arm that it is about, or empty';
COMMENT ON COLUMN "experiment_result"."words" IS 'the sentences that say why';
COMMENT ON COLUMN "experiment_result"."split_p" IS 'of a split so far from the plan by chance, at one look [probability]';
COMMENT ON COLUMN "experiment_result"."split_p_always" IS 'the same, at any number of looks [probability]';
COMMENT ON COLUMN "experiment_result"."split_alarm" IS '1: the split is off, nothing may be read';
COMMENT ON COLUMN "experiment_result"."multiple" IS 'left out, for they were in several arms [members]';
COMMENT ON COLUMN "experiment_result"."days" IS 'from the first to the last exposure [days]';
COMMENT ON COLUMN "experiment_result"."within" IS 'what counts after an exposure; empty: the table''s own [days]';
COMMENT ON COLUMN "experiment_result"."version" IS 'microseconds since 1970 of `as_of`: late facts of the same look are written over it';
CREATE TABLE IF NOT EXISTS "coupon_event" (
  "source" VARCHAR NOT NULL,
  "event" VARCHAR NOT NULL,
  "desk" VARCHAR NOT NULL,
  "number" BIGINT NOT NULL,
  "coupon" VARCHAR NOT NULL,
  "campaign" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "what" VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "day" VARCHAR NOT NULL,
  "valid_from" TIMESTAMPTZ NOT NULL,
  "valid_to" TIMESTAMPTZ NOT NULL,
  "receipt" VARCHAR,
  "store" VARCHAR,
  "amount_off" BIGINT,
  "basket" BIGINT,
  "partial" BIGINT NOT NULL,
  "message" VARCHAR,
  "experiment" VARCHAR,
  "arm" VARCHAR,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("source", "event")
);
COMMENT ON TABLE "coupon_event" IS 'What happened to coupons, as the desk told it: a row an event, so that reading it again changes nothing. coupon_state has what it came to.';
COMMENT ON COLUMN "coupon_event"."source" IS '`source` of the event: a coupon desk in one of its epochs';
COMMENT ON COLUMN "coupon_event"."event" IS '`id` of the event';
COMMENT ON COLUMN "coupon_event"."desk" IS 'the desk''s name';
COMMENT ON COLUMN "coupon_event"."number" IS 'its place among the desk''s events; larger is later';
COMMENT ON COLUMN "coupon_event"."coupon" IS 'id; of erased members a hash of it';
COMMENT ON COLUMN "coupon_event"."campaign" IS 'id in coupons.yaml';
COMMENT ON COLUMN "coupon_event"."member" IS 'pseudonym of whose it is; empty: erased';
COMMENT ON COLUMN "coupon_event"."what" IS 'issued, reserved, released, redeemed, rolled_back or expired';
COMMENT ON COLUMN "coupon_event"."at" IS 'when';
COMMENT ON COLUMN "coupon_event"."day" IS 'the day of it by the chain''s clock, YYYY-MM-DD';
COMMENT ON COLUMN "coupon_event"."valid_from" IS 'valid from then';
COMMENT ON COLUMN "coupon_event"."valid_to" IS 'valid until then, not included';
COMMENT ON COLUMN "coupon_event"."receipt" IS 'order at the till';
COMMENT ON COLUMN "coupon_event"."store" IS 'where';
COMMENT ON COLUMN "coupon_event"."amount_off" IS 'taken off or given back [minor money units]';
COMMENT ON COLUMN "coupon_event"."basket" IS 'goods that count, before it [minor money units]';
COMMENT ON COLUMN "coupon_event"."partial" IS 'of rolled_back: 1 only some of the goods came back';
COMMENT ON COLUMN "coupon_event"."message" IS 'issued: what it was issued by';
COMMENT ON COLUMN "coupon_event"."experiment" IS 'issued: of which experiment';
COMMENT ON COLUMN "coupon_event"."arm" IS 'issued: the member''s arm of it';
COMMENT ON COLUMN "coupon_event"."version" IS 'always 1: what was told does not change';
CREATE TABLE IF NOT EXISTS "coupon_rejection" (
  "desk" VARCHAR NOT NULL,
  "coupon" VARCHAR NOT NULL,
  "receipt" VARCHAR NOT NULL,
  "code" VARCHAR NOT NULL,
  "verb" VARCHAR NOT NULL,
  "campaign" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "store" VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "day" VARCHAR NOT NULL,
  "left_out" BIGINT NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("desk", "coupon", "receipt", "code")
);
COMMENT ON TABLE "coupon_rejection" IS 'Coupons that tills asked for and did not get, as the desk told it: a row a coupon, order and code, however often the till tried. coupon_friction has them by shop and day.';
COMMENT ON COLUMN "coupon_rejection"."desk" IS 'the desk''s name';
COMMENT ON COLUMN "coupon_rejection"."coupon" IS 'id; of erased members and of unknown coupons a hash of it';
COMMENT ON COLUMN "coupon_rejection"."receipt" IS 'order at the till';
COMMENT ON COLUMN "coupon_rejection"."code" IS 'why: as the API refuses, or unknown_coupon';
COMMENT ON COLUMN "coupon_rejection"."verb" IS 'reserve or redeem';
COMMENT ON COLUMN "coupon_rejection"."campaign" IS 'id in coupons.yaml; empty: there is no such coupon';
COMMENT ON COLUMN "coupon_rejection"."member" IS 'pseudonym of whose it is; empty: erased or no such coupon';
COMMENT ON COLUMN "coupon_rejection"."store" IS 'where; empty: the till did not say';
COMMENT ON COLUMN "coupon_rejection"."at" IS 'when';
COMMENT ON COLUMN "coupon_rejection"."day" IS 'the day of it by the chain''s clock, YYYY-MM-DD';
COMMENT ON COLUMN "coupon_rejection"."left_out" IS 'of the whole desk: so many before it were not told';
COMMENT ON COLUMN "coupon_rejection"."version" IS 'place among the desk''s events: of two the later one counts';
CREATE TABLE IF NOT EXISTS "coupon_campaign" (
  "campaign" VARCHAR NOT NULL,
  "name_zh" VARCHAR NOT NULL,
  "name_en" VARCHAR NOT NULL,
  "kind" VARCHAR NOT NULL,
  "threshold" BIGINT NOT NULL,
  "most_off" BIGINT,
  "stores" JSON NOT NULL,
  "currency" VARCHAR NOT NULL,
  "timezone" VARCHAR NOT NULL,
  "version" BIGINT NOT NULL,
  "goods" JSON,
  PRIMARY KEY ("campaign")
);
ALTER TABLE "coupon_campaign" ADD COLUMN IF NOT EXISTS "goods" JSON;
COMMENT ON TABLE "coupon_campaign" IS 'The coupons of the chain as their file has them.';
COMMENT ON COLUMN "coupon_campaign"."campaign" IS 'id';
COMMENT ON COLUMN "coupon_campaign"."name_zh" IS 'what people read';
COMMENT ON COLUMN "coupon_campaign"."name_en" IS 'what people read';
COMMENT ON COLUMN "coupon_campaign"."kind" IS 'amount_off, percent_off or gift';
COMMENT ON COLUMN "coupon_campaign"."threshold" IS 'what the goods have to cost [minor money units]';
COMMENT ON COLUMN "coupon_campaign"."most_off" IS 'at most off a basket [minor money units]';
COMMENT ON COLUMN "coupon_campaign"."stores" IS 'shops in which it counts, null: all';
COMMENT ON COLUMN "coupon_campaign"."currency" IS 'of the money';
COMMENT ON COLUMN "coupon_campaign"."timezone" IS 'of its days';
COMMENT ON COLUMN "coupon_campaign"."version" IS 'of the file';
COMMENT ON COLUMN "coupon_campaign"."goods" IS 'skus and categories it is for and the gift''s SKU, null: all; empty: not read since';
CREATE TABLE IF NOT EXISTS "purchase" (
  "store" VARCHAR NOT NULL,
  "receipt" VARCHAR NOT NULL,
  "part" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "day" VARCHAR NOT NULL,
  "amount" BIGINT NOT NULL,
  "currency" VARCHAR NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("store", "receipt", "part")
);
COMMENT ON TABLE "purchase" IS 'What members bought, and gave back: a row a receipt (part empty) and a row a refund of it.';
COMMENT ON COLUMN "purchase"."store" IS 'shop of the receipt';
COMMENT ON COLUMN "purchase"."receipt" IS 'order at the till';
COMMENT ON COLUMN "purchase"."part" IS 'empty: the purchase; else the refund';
COMMENT ON COLUMN "purchase"."member" IS 'pseudonym';
COMMENT ON COLUMN "purchase"."at" IS 'when';
COMMENT ON COLUMN "purchase"."day" IS 'the day of it by the chain''s clock, YYYY-MM-DD';
COMMENT ON COLUMN "purchase"."amount" IS 'paid; below 0: given back [minor money units]';
COMMENT ON COLUMN "purchase"."currency" IS 'of amount';
COMMENT ON COLUMN "purchase"."version" IS 'always 1: of the same receipt the last row counts';
CREATE TABLE IF NOT EXISTS "message_opened" (
  "message" VARCHAR NOT NULL,
  "member" VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("message", "member")
);
COMMENT ON TABLE "message_opened" IS 'Messages that members opened: a row a message and who did, with the first time of it.';
COMMENT ON COLUMN "message_opened"."message" IS 'id, as in the table message';
COMMENT ON COLUMN "message_opened"."member" IS 'pseudonym';
COMMENT ON COLUMN "message_opened"."at" IS 'when it was first opened';
COMMENT ON COLUMN "message_opened"."version" IS 'microseconds until 1970 of `at`: the first time stands';
CREATE TABLE IF NOT EXISTS "member_gone" (
  "member" VARCHAR NOT NULL,
  "version" BIGINT NOT NULL,
  PRIMARY KEY ("member")
);
COMMENT ON TABLE "member_gone" IS 'Pseudonyms that were erased: nothing that comes later is written of them.';
COMMENT ON COLUMN "member_gone"."member" IS 'pseudonym';
COMMENT ON COLUMN "member_gone"."version" IS 'always 1: who is gone stays so';
CREATE TABLE IF NOT EXISTS "flow_run" (
  "run" VARCHAR NOT NULL,
  "flow" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "source" VARCHAR NOT NULL,
  "started_at" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "lines" BIGINT NOT NULL,
  "events" BIGINT NOT NULL,
  "others" BIGINT NOT NULL,
  "applied" BIGINT NOT NULL,
  "duplicates" BIGINT NOT NULL,
  "dead_letters" BIGINT NOT NULL,
  "positions" BIGINT NOT NULL,
  "alerts_raised" BIGINT NOT NULL,
  "alerts_cleared" BIGINT NOT NULL,
  "newest_event" TIMESTAMPTZ,
  PRIMARY KEY ("run")
);
COMMENT ON TABLE "flow_run" IS 'One row for each start of a flow that found something to do.';
COMMENT ON COLUMN "flow_run"."run" IS 'id of the run';
COMMENT ON COLUMN "flow_run"."flow" IS 'name of the flow';
COMMENT ON COLUMN "flow_run"."status" IS 'running, finished, stopped or interrupted';
COMMENT ON COLUMN "flow_run"."source" IS 'what it read';
COMMENT ON COLUMN "flow_run"."started_at" IS 'wall clock at the start';
COMMENT ON COLUMN "flow_run"."updated_at" IS 'wall clock at the last write';
COMMENT ON COLUMN "flow_run"."lines" IS 'lines read, blank ones left out';
COMMENT ON COLUMN "flow_run"."events" IS 'lines that were events of this flow''s types';
COMMENT ON COLUMN "flow_run"."others" IS 'events of types that other flows read';
COMMENT ON COLUMN "flow_run"."applied" IS 'events that are now in the state';
COMMENT ON COLUMN "flow_run"."duplicates" IS 'events that were known already';
COMMENT ON COLUMN "flow_run"."dead_letters" IS 'lines that went to dead_letter';
COMMENT ON COLUMN "flow_run"."positions" IS 'rows written to stock_position';
COMMENT ON COLUMN "flow_run"."alerts_raised" IS 'alerts raised';
COMMENT ON COLUMN "flow_run"."alerts_cleared" IS 'alerts cleared';
COMMENT ON COLUMN "flow_run"."newest_event" IS 'time of the newest event read';
CREATE TABLE IF NOT EXISTS "flow_run_part" (
  "run" VARCHAR NOT NULL,
  "part" BIGINT NOT NULL,
  "flow" VARCHAR NOT NULL,
  "status" VARCHAR NOT NULL,
  "source" VARCHAR NOT NULL,
  "started_at" TIMESTAMPTZ NOT NULL,
  "updated_at" TIMESTAMPTZ NOT NULL,
  "lines" BIGINT NOT NULL,
  "events" BIGINT NOT NULL,
  "others" BIGINT NOT NULL,
  "applied" BIGINT NOT NULL,
  "duplicates" BIGINT NOT NULL,
  "dead_letters" BIGINT NOT NULL,
  "positions" BIGINT NOT NULL,
  "alerts_raised" BIGINT NOT NULL,
  "alerts_cleared" BIGINT NOT NULL,
  "newest_event" TIMESTAMPTZ,
  PRIMARY KEY ("run", "part")
);
COMMENT ON TABLE "flow_run_part" IS 'A run that several writers share, writer by writer; flow_run has their sums. Empty where one writer does it all.';
COMMENT ON COLUMN "flow_run_part"."run" IS 'id of the run';
COMMENT ON COLUMN "flow_run_part"."part" IS 'number of the writer';
COMMENT ON COLUMN "flow_run_part"."flow" IS 'name of the flow';
COMMENT ON COLUMN "flow_run_part"."status" IS 'running, finished, stopped or interrupted';
COMMENT ON COLUMN "flow_run_part"."source" IS 'what it read';
COMMENT ON COLUMN "flow_run_part"."started_at" IS 'wall clock at the start';
COMMENT ON COLUMN "flow_run_part"."updated_at" IS 'wall clock at the last write';
COMMENT ON COLUMN "flow_run_part"."lines" IS 'lines read, blank ones left out';
COMMENT ON COLUMN "flow_run_part"."events" IS 'lines that were events of this flow''s types';
COMMENT ON COLUMN "flow_run_part"."others" IS 'events of types that other flows read';
COMMENT ON COLUMN "flow_run_part"."applied" IS 'events that are now in the state';
COMMENT ON COLUMN "flow_run_part"."duplicates" IS 'events that were known already';
COMMENT ON COLUMN "flow_run_part"."dead_letters" IS 'lines that went to dead_letter';
COMMENT ON COLUMN "flow_run_part"."positions" IS 'rows written to stock_position';
COMMENT ON COLUMN "flow_run_part"."alerts_raised" IS 'alerts raised';
COMMENT ON COLUMN "flow_run_part"."alerts_cleared" IS 'alerts cleared';
COMMENT ON COLUMN "flow_run_part"."newest_event" IS 'time of the newest event read';
CREATE TABLE IF NOT EXISTS "warehouse_info" (
  "name" VARCHAR NOT NULL,
  "value" VARCHAR NOT NULL,
  PRIMARY KEY ("name")
);
COMMENT ON TABLE "warehouse_info" IS 'What this warehouse is.';
COMMENT ON COLUMN "warehouse_info"."name" IS 'name of the entry';
COMMENT ON COLUMN "warehouse_info"."value" IS 'its value';
CREATE OR REPLACE VIEW "stock_pool" AS 
SELECT sku, pool,
  count(*) AS places,
  sum(on_hand)::BIGINT AS on_hand,
  sum(allocated)::BIGINT AS allocated,
  sum(quarantined)::BIGINT AS quarantined,
  sum(in_transit)::BIGINT AS in_transit,
  sum(greatest(available, 0))::BIGINT AS available,
  sum(greatest(-available, 0))::BIGINT AS short,
  sum(safety_stock)::BIGINT AS safety_stock,
  sum(demand_rate) AS demand_rate,
  CASE WHEN sum(demand_rate) > 0
    THEN sum(greatest(available, 0)) / sum(demand_rate) END AS days_of_cover,
  sum(version)::BIGINT AS version,
  max(as_of) AS as_of
FROM stock_position GROUP BY sku, pool;
COMMENT ON VIEW "stock_pool" IS 'The pool as one stock: a SKU over all places of a pool. A place that is short takes nothing from what another can still promise.';
COMMENT ON COLUMN "stock_pool"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "stock_pool"."pool" IS 'the pool of places whose stock serves one promise';
COMMENT ON COLUMN "stock_pool"."places" IS 'places of the pool that ever had the SKU';
COMMENT ON COLUMN "stock_pool"."on_hand" IS 'sum over the places [units]';
COMMENT ON COLUMN "stock_pool"."allocated" IS 'sum over the places [units]';
COMMENT ON COLUMN "stock_pool"."quarantined" IS 'sum over the places [units]';
COMMENT ON COLUMN "stock_pool"."in_transit" IS 'sum over the places [units]';
COMMENT ON COLUMN "stock_pool"."available" IS 'what the places that have some can still promise [units]';
COMMENT ON COLUMN "stock_pool"."short" IS 'what the places that are oversold lack [units]';
COMMENT ON COLUMN "stock_pool"."safety_stock" IS 'sum over the places [units]';
COMMENT ON COLUMN "stock_pool"."demand_rate" IS 'sum over the places [units a day]';
COMMENT ON COLUMN "stock_pool"."days_of_cover" IS 'available / demand rate [days]';
COMMENT ON COLUMN "stock_pool"."version" IS 'how many events are in the row';
COMMENT ON COLUMN "stock_pool"."as_of" IS 'time of the newest event in the row';
CREATE OR REPLACE VIEW "transfer_current" AS 
SELECT * FROM transfer_suggestion
QUALIFY row_number() OVER (PARTITION BY suggestion ORDER BY version DESC) = 1;
COMMENT ON VIEW "transfer_current" IS 'Every suggested transfer in the state it is in now: its row of the largest version.';
COMMENT ON COLUMN "transfer_current"."suggestion" IS 'id, the same through all states';
COMMENT ON COLUMN "transfer_current"."version" IS 'number of the state, from 1';
COMMENT ON COLUMN "transfer_current"."status" IS 'proposed, accepted, rejected, expired, superseded, shipped or executed';
COMMENT ON COLUMN "transfer_current"."sku" IS 'stock keeping unit';
COMMENT ON COLUMN "transfer_current"."from_place" IS 'the place that gives';
COMMENT ON COLUMN "transfer_current"."to_place" IS 'the place that takes';
COMMENT ON COLUMN "transfer_current"."quantity" IS 'to be moved [units]';
COMMENT ON COLUMN "transfer_current"."pack_multiple" IS 'moves in whole multiples of this [units]';
COMMENT ON COLUMN "transfer_current"."mode" IS 'reactive: a promise is at risk; proactive: cover is low';
COMMENT ON COLUMN "transfer_current"."reason_codes" IS 'short stable names of the reasons';
COMMENT ON COLUMN "transfer_current"."donor_available_before" IS 'at the giver before [units]';
COMMENT ON COLUMN "transfer_current"."donor_available_after" IS 'at the giver without them [units]';
COMMENT ON COLUMN "transfer_current"."donor_cover_before" IS 'cover before; empty without demand [days]';
COMMENT ON COLUMN "transfer_current"."donor_cover_after" IS 'cover after; empty without demand [days]';
COMMENT ON COLUMN "transfer_current"."taker_available_before" IS 'at the taker before [units]';
COMMENT ON COLUMN "transfer_current"."taker_available_after" IS 'at the taker with them [units]';
COMMENT ON COLUMN "transfer_current"."taker_cover_before" IS 'cover before; empty without demand [days]';
COMMENT ON COLUMN "transfer_current"."taker_cover_after" IS 'cover after; empty without demand [days]';
COMMENT ON COLUMN "transfer_current"."expected_lost_sales_avoided" IS 'at the taker over the horizon [units]';
COMMENT ON COLUMN "transfer_current"."transport_cost" IS 'fixed, by distance and by unit [minor money units]';
COMMENT ON COLUMN "transfer_current"."net_benefit" IS 'margin of the sales saved, less transport and the giver''s own expected loss [minor money units]';
COMMENT ON COLUMN "transfer_current"."lead_time_h" IS 'from the request to the shelf [hours]';
COMMENT ON COLUMN "transfer_current"."needed_by" IS 'when the taker is expected to run out';
COMMENT ON COLUMN "transfer_current"."not_after" IS 'no answer or departure until then: it expires';
COMMENT ON COLUMN "transfer_current"."pegged_orders" IS 'customer orders that wait for it';
COMMENT ON COLUMN "transfer_current"."donor_version" IS 'version of the giver''s position it rests on';
COMMENT ON COLUMN "transfer_current"."taker_version" IS 'version of the taker''s position it rests on';
COMMENT ON COLUMN "transfer_current"."updated_at" IS 'when it came into this state';
COMMENT ON COLUMN "transfer_current"."supersedes" IS 'the suggestion that this one replaces';
COMMENT ON COLUMN "transfer_current"."transfer" IS 'number under which the goods travel';
CREATE OR REPLACE VIEW "coupon_state" AS 
WITH event AS (
  SELECT *, row_number() OVER last_first AS back,
    first_value(valid_to) OVER last_first AS ends
  FROM coupon_event
  WINDOW last_first AS (PARTITION BY desk, coupon ORDER BY number DESC, source DESC)
), coupon AS (
  SELECT desk, coupon, any_value(campaign) AS campaign, any_value(member) AS member,
    coalesce(min("at") FILTER (what = 'issued'), min("at")) AS issued_at,
    coalesce(min("day") FILTER (what = 'issued'), min("day")) AS "day",
    min(valid_from) AS valid_from, any_value(ends) AS valid_to,
    coalesce(max(message), '') AS message, coalesce(max(experiment), '') AS experiment,
    coalesce(max(arm), '') AS arm,
    max(CASE WHEN what = 'rolled_back' AND partial = 1 THEN 'redeemed'
      WHEN what = 'released' THEN 'issued' ELSE what END) FILTER (back = 1) AS state,
    arg_max("at", number) FILTER (what = 'redeemed') AS used_at,
    arg_max(store, number) FILTER (what = 'redeemed') AS used_store,
    arg_max(receipt, number) FILTER (what = 'redeemed') AS used_receipt,
    arg_max(amount_off, number) FILTER (what = 'redeemed') AS used_off,
    arg_max(basket, number) FILTER (what = 'redeemed') AS used_basket
  FROM event GROUP BY desk, coupon
), given AS (
  -- The message that brought a coupon: those of the same entry into the same journey tell of it.
  SELECT g.message AS coupon_message, s.message, any_value(g.segment) AS segment,
    bool_or(d.status IN ('accepted', 'delivered')) AS accepted
  FROM message g
  LEFT JOIN message s ON s.member = g.member AND s.journey = g.journey AND s.entry = g.entry
    AND s.action = 'send' AND s.decision = 'go' AND s.held_out = 0
  LEFT JOIN message_delivery d ON d.message = s.message AND d.channel <> 'coupons'
  WHERE g.action = 'give' GROUP BY g.message, s.message
), told AS (
  SELECT coupon_message, any_value(segment) AS segment, count(message) AS messages,
    coalesce(bool_or(accepted), false) AS accepted
  FROM given GROUP BY coupon_message
), about AS (
  SELECT coupon_message, message FROM given WHERE message IS NOT NULL
  UNION ALL SELECT DISTINCT message, message FROM coupon WHERE message <> ''
), person AS (
  SELECT member, coalesce(survivor, member) AS person FROM member_state WHERE status <> 'erased'
), opening AS (
  SELECT c.desk, c.coupon, min(o."at") AS opened_at
  FROM coupon c
  JOIN about a ON a.coupon_message = c.message
  JOIN message_opened o ON o.message = a.message
  LEFT JOIN person p ON p.member = c.member
  LEFT JOIN person q ON q.member = o.member
  WHERE coalesce(q.person, o.member) = coalesce(p.person, c.member)
  GROUP BY c.desk, c.coupon
), bought AS (
  SELECT store, receipt, any_value(member) FILTER (part = '') AS member,
    min("at") FILTER (part = '') AS "at", sum(amount)::BIGINT AS amount
  FROM purchase GROUP BY store, receipt HAVING count(*) FILTER (part = '') > 0 AND sum(amount) > 0
), visit AS (
  SELECT c.desk, c.coupon, count(*) AS visits,
    count(*) FILTER (f.stores IS NULL OR f.stores::VARCHAR = 'null'
      OR json_contains(f.stores, to_json(b.store))) AS baskets,
    max(b.amount) FILTER (f.stores IS NULL OR f.stores::VARCHAR = 'null'
      OR json_contains(f.stores, to_json(b.store))) AS largest
  FROM coupon c
  LEFT JOIN person p ON p.member = c.member
  LEFT JOIN coupon_campaign f ON f.campaign = c.campaign
  JOIN (SELECT b.*, coalesce(q.person, b.member) AS person
    FROM bought b LEFT JOIN person q ON q.member = b.member) b
    ON b.person = coalesce(p.person, c.member) AND b."at" >= c.valid_from AND b."at" < c.valid_to
  WHERE c.member <> '' GROUP BY c.desk, c.coupon
)
SELECT c.desk, c.coupon, c.campaign, c.member, c.experiment, c.arm, c.message,
  coalesce(t.segment, '') AS segment, c.issued_at, c."day", c.valid_from, c.valid_to,
  CASE WHEN c.state IN ('issued', 'reserved', 'rolled_back') AND c.valid_to <= now()
    THEN 'expired' ELSE c.state END AS state,
  -- What was opened has arrived, whatever providers say of it.
  (coalesce(t.messages, 0) = 0 OR t.accepted OR o.opened_at IS NOT NULL) AS delivered,
  o.opened_at,
  coalesce(t.messages, 0)::BIGINT AS messages,
  greatest(coalesce(v.visits, 0), (c.state = 'redeemed')::BIGINT)::BIGINT AS visits,
  greatest(coalesce(v.baskets, 0), (c.state = 'redeemed')::BIGINT)::BIGINT AS baskets,
  CASE WHEN f.threshold IS NULL THEN NULL WHEN c.state = 'redeemed' THEN true
    ELSE coalesce(v.largest >= f.threshold, false) END AS over_threshold,
  CASE WHEN c.state = 'redeemed' THEN c.used_at END AS used_at,
  CASE WHEN c.state = 'redeemed' THEN c.used_store END AS used_store,
  CASE WHEN c.state = 'redeemed' THEN c.used_receipt END AS used_receipt,
  CASE WHEN c.state = 'redeemed' THEN c.used_off END AS used_off,
  CASE WHEN c.state = 'redeemed' THEN c.used_basket END AS used_basket
FROM coupon c
LEFT JOIN told t ON t.coupon_message = c.message
LEFT JOIN opening o ON o.desk = c.desk AND o.coupon = c.coupon
LEFT JOIN visit v ON v.desk = c.desk AND v.coupon = c.coupon
LEFT JOIN coupon_campaign f ON f.campaign = c.campaign;
COMMENT ON VIEW "coupon_state" IS 'Every coupon as its last event left it, with who was told of it and what was bought.';
COMMENT ON COLUMN "coupon_state"."desk" IS 'the desk''s name';
COMMENT ON COLUMN "coupon_state"."coupon" IS 'id; of erased members a hash of it';
COMMENT ON COLUMN "coupon_state"."campaign" IS 'id in coupons.yaml';
COMMENT ON COLUMN "coupon_state"."member" IS 'pseudonym of whose it is; empty: erased';
COMMENT ON COLUMN "coupon_state"."experiment" IS 'of which experiment, or empty';
COMMENT ON COLUMN "coupon_state"."arm" IS 'the member''s arm of it';
COMMENT ON COLUMN "coupon_state"."message" IS 'what it was issued by, or empty';
COMMENT ON COLUMN "coupon_state"."segment" IS 'the member''s, when it was decided';
COMMENT ON COLUMN "coupon_state"."issued_at" IS 'when';
COMMENT ON COLUMN "coupon_state"."day" IS 'of the issue, by the chain''s clock';
COMMENT ON COLUMN "coupon_state"."valid_from" IS 'valid from then';
COMMENT ON COLUMN "coupon_state"."valid_to" IS 'valid until then, not included';
COMMENT ON COLUMN "coupon_state"."state" IS 'issued, reserved, redeemed, rolled_back or expired, now';
COMMENT ON COLUMN "coupon_state"."delivered" IS 'one about it was accepted, delivered or opened, or none belongs to it';
COMMENT ON COLUMN "coupon_state"."opened_at" IS 'when its member first opened one, or what gave it; empty: nobody told';
COMMENT ON COLUMN "coupon_state"."messages" IS 'messages of the journey about it';
COMMENT ON COLUMN "coupon_state"."visits" IS 'receipts of the member while it was valid, not given back [receipts]';
COMMENT ON COLUMN "coupon_state"."baskets" IS 'those in its stores [receipts]';
COMMENT ON COLUMN "coupon_state"."over_threshold" IS 'one of them reached the threshold; empty: campaign not known';
COMMENT ON COLUMN "coupon_state"."used_at" IS 'redeemed: when';
COMMENT ON COLUMN "coupon_state"."used_store" IS 'redeemed: where';
COMMENT ON COLUMN "coupon_state"."used_receipt" IS 'redeemed: with which order';
COMMENT ON COLUMN "coupon_state"."used_off" IS 'redeemed: taken off [minor money units]';
COMMENT ON COLUMN "coupon_state"."used_basket" IS 'redeemed: goods that count, before it [minor money units]';
CREATE OR REPLACE VIEW "coupon_funnel" AS 
SELECT campaign, "day", experiment, arm,
  count(*) AS issued,
  count(*) FILTER (delivered) AS delivered,
  CASE WHEN sum(count(opened_at)) OVER (PARTITION BY campaign) > 0
    THEN count(*) FILTER (opened_at < valid_to) END AS opened,
  count(*) FILTER (visits > 0) AS visited,
  count(*) FILTER (baskets > 0) AS eligible,
  CASE WHEN count(over_threshold) = count(*) THEN count(*) FILTER (over_threshold) END
    AS over_threshold,
  count(*) FILTER (state = 'redeemed') AS redeemed,
  count(*) FILTER (state = 'redeemed' AND delivered) AS redeemed_delivered,
  count(*) FILTER (state = 'expired') AS expired,
  count(*) FILTER (state IN ('issued', 'reserved', 'rolled_back')) AS still_valid,
  coalesce(sum(used_off), 0)::BIGINT AS amount_off
FROM coupon_state GROUP BY campaign, "day", experiment, arm;
COMMENT ON VIEW "coupon_funnel" IS 'What became of the coupons of a campaign by day of issue and arm. Who redeemed has visited with a basket over the threshold, whatever tills have told.';
COMMENT ON COLUMN "coupon_funnel"."campaign" IS 'id in coupons.yaml';
COMMENT ON COLUMN "coupon_funnel"."day" IS 'of the issue, by the chain''s clock';
COMMENT ON COLUMN "coupon_funnel"."experiment" IS 'of which experiment, or empty';
COMMENT ON COLUMN "coupon_funnel"."arm" IS 'its arm';
COMMENT ON COLUMN "coupon_funnel"."issued" IS 'coupons';
COMMENT ON COLUMN "coupon_funnel"."delivered" IS 'one about it was accepted, delivered or opened, or none belongs to it';
COMMENT ON COLUMN "coupon_funnel"."opened" IS 'one was opened in time; empty: nobody told of any of the campaign';
COMMENT ON COLUMN "coupon_funnel"."visited" IS 'its member bought something while it was valid';
COMMENT ON COLUMN "coupon_funnel"."eligible" IS 'in a store where it counts';
COMMENT ON COLUMN "coupon_funnel"."over_threshold" IS 'for enough; empty: the campaign is not known here';
COMMENT ON COLUMN "coupon_funnel"."redeemed" IS 'used, and not given back';
COMMENT ON COLUMN "coupon_funnel"."redeemed_delivered" IS 'of the delivered: what the redemption rate is made of';
COMMENT ON COLUMN "coupon_funnel"."expired" IS 'not used in time';
COMMENT ON COLUMN "coupon_funnel"."still_valid" IS 'can still be used: no failures yet';
COMMENT ON COLUMN "coupon_funnel"."amount_off" IS 'taken off in all [minor money units]';
CREATE OR REPLACE VIEW "coupon_friction" AS 
WITH used AS (
  SELECT desk, coupon, receipt, max(number) AS number FROM coupon_event
  WHERE what = 'redeemed' AND receipt IS NOT NULL GROUP BY desk, coupon, receipt
)
SELECT r.campaign, r.store, r.code, r."day", count(*) AS orders,
  count(DISTINCT (r.desk, r.coupon)) AS coupons,
  count(*) FILTER (u.number > r.version) AS used_after_all,
  sum(r.left_out)::BIGINT AS left_out
FROM coupon_rejection r LEFT JOIN used u USING (desk, coupon, receipt)
GROUP BY r.campaign, r.store, r.code, r."day" ;
COMMENT ON VIEW "coupon_friction" IS 'Coupons that tills rejected, by campaign, shop, reason and day.';
COMMENT ON COLUMN "coupon_friction"."campaign" IS 'id in coupons.yaml; empty: there is no such coupon';
COMMENT ON COLUMN "coupon_friction"."store" IS 'where; empty: the till did not say';
COMMENT ON COLUMN "coupon_friction"."code" IS 'why: as the API refuses, or unknown_coupon';
COMMENT ON COLUMN "coupon_friction"."day" IS 'the day of it by the chain''s clock';
COMMENT ON COLUMN "coupon_friction"."orders" IS 'at which a coupon was rejected for that';
COMMENT ON COLUMN "coupon_friction"."coupons" IS 'of these';
COMMENT ON COLUMN "coupon_friction"."used_after_all" IS 'orders that redeemed it later, say with more in the basket';
COMMENT ON COLUMN "coupon_friction"."left_out" IS 'of whatever campaign: so many before these were not told';
