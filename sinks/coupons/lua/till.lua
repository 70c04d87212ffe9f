-- Issue, and what a till does: reserve, redeem, release, roll back.

function calls.issue(keys, p, now)
  if is_gone(keys, p.who) then return refused('erased') end
  local r = open(keys[COUPON])
  if r then
    if r.fingerprint ~= p.fingerprint then return {'MISMATCH', '{}'} end
    return answer(r, now, true)
  end
  if p.not_after > 0 and now > p.not_after then return refused('too_late') end
  local rule = read_rule(keys[RULE], keys[LIVE], now)
  if not rule then return {'UNKNOWN_CAMPAIGN', '{}'} end
  if rule.stopped ~= '' then return refused('stopped') end
  if p.valid_to <= now then return refused('expired') end
  if rule.issued + 1 > rule.most_issued then return refused('budget_issued') end
  if rule.redeemed + 1 > rule.most_redeemed then return refused('budget_redeemed') end
  if rule.money + 1 > rule.most_money then return refused('budget_money') end
  local had = tonumber(redis.call('HGET', keys[COUNTS], p.member) or 0)
  if had + 1 > rule.per_member then return refused('per_member') end

  r = {id = p.coupon, campaign = p.campaign, member = p.member, state = 'issued',
    before = 'issued', valid_from = p.valid_from, valid_to = p.valid_to, order = '', store = '',
    amount = 0, basket = 0, by = '', ends = 0, returned = 0, uses = 0, message = p.message,
    experiment = p.experiment, arm = p.arm, fingerprint = p.fingerprint, calls = {}}
  redis.call('HINCRBY', keys[RULE], 'issued', 1)
  redis.call('HINCRBY', keys[COUNTS], p.member, 1)
  redis.call('ZADD', keys[DUE], r.valid_to, entry_of(r))
  redis.call('ZADD', keys[MEMBER], r.valid_to, index_of(r))
  save(keys, r, p, now)
  tell(keys, 'issued', now, r, {message = r.message, experiment = r.experiment, arm = r.arm})
  return answer(r, now, false)
end

-- Why a coupon cannot be used by this call at this time.
local function unusable(r, state, rule, p, at)
  if state == 'redeemed' then return 'already_redeemed' end
  if state == 'reserved' and r.order ~= p.order then return 'reserved_elsewhere' end
  local mine = state == 'reserved' -- whoever reserved in time may finish
  if not mine and rule.stopped == 'all' then return 'stopped' end
  if at < r.valid_from then return 'not_yet' end
  if not mine and at >= r.valid_to then return 'expired' end
  if p.buyer ~= '' and p.buyer ~= r.member and not rule.transferable then return 'other_member' end
  if r.uses >= MAX_USES then return 'worn_out' end
end

local function by_of(keys, r, p)
  if p.buyer == r.member or p.buyer == '' then return '' end
  return is_gone(keys, p.who) and ERASED or p.buyer
end

function calls.reserve(keys, p, now)
  local r, other = find(keys, p)
  if other then return other end
  local rule, state = read_rule(keys[RULE], keys[LIVE], now), judged(r, now)
  local own = state == 'reserved'
  local wrong = unusable(r, state, rule, p, now) or clash(keys, r, rule, now)
    or too_much(rule, own and 1 or 0, own and r.amount or 0, p.amount)
  if wrong then return refused(wrong) end

  tidy(keys, keys[RULE], keys[LIVE], r.campaign, rule, MAX_LAPSED)
  if r.state == 'reserved' then
    drop_live(keys[RULE], keys[LIVE], live_of(r), r.amount)
  else
    r.before = r.state
  end
  r.state, r.order, r.store, r.by = 'reserved', p.order, p.store, by_of(keys, r, p)
  r.amount, r.basket, r.ends, r.returned = p.amount, p.basket, now + p.ttl, 0
  redis.call('HINCRBY', keys[RULE], 'reserved', 1)
  redis.call('HINCRBY', keys[RULE], 'reserved_money', whole(r.amount))
  redis.call('ZADD', keys[LIVE], r.ends, live_of(r))
  take_order(keys, r, rule, p, r.ends)
  tell(keys, 'reserved', now, r, {order = r.order, store = r.store, amount_off = r.amount,
    basket = r.basket, by = r.by, ends = r.ends})
  return done(keys, r, p, 'reserve', now)
end

-- Paid. Without an amount it is what this order reserved, also where that has lapsed meanwhile. A
-- sale that a till made offline is judged by its own time, within the campaign's allowance.
function calls.redeem(keys, p, now)
  local r, other = find(keys, p)
  if other then return other end
  local rule, state, at = read_rule(keys[RULE], keys[LIVE], now), judged(r, now), now
  if p.at > 0 and p.at <= now and now - p.at <= p.offline then at = p.at end
  local same_order = r.order ~= '' and r.order == p.order
  if state == 'redeemed' and same_order and (p.amount < 0 or p.amount == r.amount) then
    return answer(r, now, true)
  end
  if p.amount < 0 and r.state ~= 'redeemed' then
    if r.state ~= 'reserved' or not same_order then return refused('not_reserved') end
    p.amount, p.basket = r.amount, r.basket
    if p.store == '' then p.store = r.store end
  end
  local own = state == 'reserved'
  local wrong = unusable(r, state, rule, p, at) or clash(keys, r, rule, now)
    or too_much(rule, own and 1 or 0, own and r.amount or 0, p.amount)
  if wrong then return refused(wrong) end

  tidy(keys, keys[RULE], keys[LIVE], r.campaign, rule, MAX_LAPSED)
  if r.state == 'reserved' then drop_live(keys[RULE], keys[LIVE], live_of(r), r.amount) end
  r.state, r.order, r.store, r.by = 'redeemed', p.order, p.store, by_of(keys, r, p)
  r.amount, r.basket, r.ends, r.returned, r.uses = p.amount, p.basket, 0, 0, r.uses + 1
  redis.call('HINCRBY', keys[RULE], 'redeemed', 1)
  redis.call('HINCRBY', keys[RULE], 'money', whole(r.amount))
  redis.call('ZREM', keys[DUE], entry_of(r))
  redis.call('ZREM', keys[MEMBER], index_of(r))
  take_order(keys, r, rule, p, FOR_GOOD)
  tell(keys, 'redeemed', at, r, {order = r.order, store = r.store, amount_off = r.amount,
    basket = r.basket, by = r.by})
  return done(keys, r, p, 'redeem', now)
end

function calls.release(keys, p, now)
  local r, other = find(keys, p)
  if other then return other end
  local state = judged(r, now)
  if state == 'redeemed' and r.order == p.order then return refused('already_redeemed') end
  if state ~= 'reserved' or r.order ~= p.order then return answer(r, now, true) end
  drop_live(keys[RULE], keys[LIVE], live_of(r), r.amount)
  redis.call('ZREM', keys[ORDER], order_of(r, read_rule(keys[RULE], keys[LIVE], now)))
  r.state = r.before
  tell(keys, 'released', now, r, {order = r.order, store = r.store, amount_off = r.amount,
    basket = r.basket, cause = 'asked'})
  return done(keys, r, p, 'release', now)
end

-- Goods came back. All of them: budget and coupon are given back, once. Some: the coupon stays
-- redeemed, and is given back when the rest has come, too.
function calls.rollback(keys, p, now)
  local r, other = find(keys, p)
  if other then return other end
  if r.state ~= 'redeemed' then return refused('not_redeemed') end
  if r.order ~= p.order then return refused('other_order') end
  if #r.calls >= MOST_CALLS then return refused('worn_out') end
  local part = math.min(p.returned > 0 and p.returned or r.basket, r.basket - r.returned)
  local all = p.returned == 0 or r.returned + part >= r.basket
  r.returned = r.returned + part
  local told = {order = r.order, store = r.store, basket = r.basket, refund = p.refund,
    returned = part}
  if all then
    told.amount_off = r.amount
    redis.call('HINCRBY', keys[RULE], 'redeemed', -1)
    redis.call('HINCRBY', keys[RULE], 'money', whole(-r.amount))
    redis.call('ZREM', keys[ORDER], order_of(r, read_rule(keys[RULE], keys[LIVE], now)))
    r.state, r.before = 'rolled_back', 'rolled_back'
    r.valid_to = p.restore and r.member ~= ERASED and math.max(r.valid_to, p.grace_to) or math.min(r.valid_to, now)
    redis.call('ZADD', keys[DUE], r.valid_to, entry_of(r))
    redis.call('ZADD', keys[MEMBER], r.valid_to, index_of(r))
  else
    told.partial = true
  end
  tell(keys, 'rolled_back', now, r, told)
  return done(keys, r, p, 'rollback', now, part)
end
