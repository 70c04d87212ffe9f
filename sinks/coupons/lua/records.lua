-- The coupon desk: every call is one atomic step on one coupon, its campaign's budget and the
-- outbox. docs/coupons.md tells the protocol. Joined and dressed as in sinks/redis/library.py.
--
-- Rules of this file: every key comes in as KEYS, time is the server's, and all checks come before
-- the first write, for Redis takes nothing back. Replies are {word, JSON}; times are ms.

local LOG, DUE, RULES, FIRST = 2, 3, 4, 5 -- KEYS: 1 desk, then these, then what the call names
local COUPON, RULE, LIVE, MEMBER, COUNTS, ORDER = 5, 6, 7, 8, 9, 10 -- of calls about one coupon
local FOR_GOOD = 4503599627370496 -- 2^52, past every clock: redeemed with an order
local MAX_LAPSED = 100 -- lapsed reservations tidied in passing; the sweeper does the rest
local MAX_USES = 16 -- so often a coupon is redeemed, when it is rolled back in between
local MAX_CALLS = 16 -- reservations and releases of a coupon whose answers are remembered
local MOST_CALLS = 100 -- with the redemptions and rollbacks, which are remembered for good

local ERASED = 'erased' -- whose the coupons of erased members are

local calls = {}

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

local function list(rows) -- an empty Lua table would be an object in JSON
  return #rows == 0 and '[]' or cjson.encode(rows)
end

local function refused(reason)
  return {'REFUSED', cjson.encode({reason = reason})}
end

local function open(key)
  local body = redis.call('GET', key)
  if not body then return nil end
  local r = cjson.decode(body)
  if #r.calls == 0 then r.calls = {} end
  return r
end

-- What a coupon is now, whoever tidies it and when.
local function judged(r, now)
  local state = r.state
  if state == 'reserved' and r.ends <= now then state = r.before end
  if (state == 'issued' or state == 'rolled_back') and r.valid_to <= now then state = 'expired' end
  return state
end

local function answer_of(r, now, replayed)
  return {coupon = r.id, campaign = r.campaign, member = r.member, state = judged(r, now),
    valid_from = r.valid_from, valid_to = r.valid_to, order = r.order, store = r.store,
    amount = r.amount, basket = r.basket, by = r.by, ends = r.ends, returned = r.returned,
    returned_now = 0, replayed = replayed, at = now}
end

local function answer(r, now, replayed)
  return {'OK', cjson.encode(answer_of(r, now, replayed))}
end

local function entry_of(r) -- a coupon among those that expire
  return cjson.encode({r.id, r.campaign, r.member})
end

local function index_of(r) -- a coupon among those of its member
  return cjson.encode({r.id, r.campaign})
end

-- A reservation among those of its campaign: all that an event about it needs.
local function live_of(r)
  return cjson.encode({r.amount, r.id, r.member, r.order, r.store, r.basket, r.valid_from,
    r.valid_to})
end

local function tell(keys, what, at, r, more)
  local told = {coupon = r.id, campaign = r.campaign, member = r.member,
    valid_from = r.valid_from, valid_to = r.valid_to}
  for name, value in pairs(more) do
    if value ~= '' then told[name] = value end
  end
  redis.call('XADD', keys[LOG], '*', 'what', what, 'at', whole(at), 'data', cjson.encode(told))
end

local function cap(text)
  return (text and text ~= '') and tonumber(text) or math.huge
end

-- A campaign's caps and what is used of them: lapsed reservations don't count.
local function read_rule(rule_key, live_key, now)
  local f = redis.call('HMGET', rule_key, 'most_issued', 'most_redeemed', 'most_money',
    'per_member', 'issued', 'redeemed', 'money', 'reserved', 'reserved_money', 'stopped',
    'transferable', 'known', 'stacking')
  if not f[12] then return nil end
  local rule = {most_issued = cap(f[1]), most_redeemed = cap(f[2]), most_money = cap(f[3]),
    per_member = cap(f[4]), issued = tonumber(f[5] or 0), redeemed = tonumber(f[6] or 0),
    money = tonumber(f[7] or 0), reserved = tonumber(f[8] or 0),
    reserved_money = tonumber(f[9] or 0), stopped = f[10] or '', transferable = f[11] == '1',
    stacking = f[13]}
  rule.lapsed = redis.call('ZRANGEBYSCORE', live_key, '-inf', now, 'WITHSCORES')
  for i = 1, #rule.lapsed, 2 do
    rule.reserved = rule.reserved - 1
    rule.reserved_money = rule.reserved_money - cjson.decode(rule.lapsed[i])[1]
  end
  return rule
end

local function drop_live(rule_key, live_key, member, amount)
  if redis.call('ZREM', live_key, member) == 0 then return false end
  redis.call('HINCRBY', rule_key, 'reserved', -1)
  redis.call('HINCRBY', rule_key, 'reserved_money', whole(-amount))
  return true
end

-- Tidies lapsed reservations of a campaign, and tells of them; how many were.
local function tidy(keys, rule_key, live_key, campaign, rule, most)
  local tidied = 0
  for i = 1, math.min(#rule.lapsed, 2 * most), 2 do
    local e = cjson.decode(rule.lapsed[i])
    drop_live(rule_key, live_key, rule.lapsed[i], e[1])
    tell(keys, 'released', tonumber(rule.lapsed[i + 1]), {id = e[2], campaign = campaign,
      member = e[3], valid_from = e[7], valid_to = e[8]},
      {order = e[4], store = e[5], amount_off = e[1], basket = e[6], cause = 'lapsed'})
    tidied = tidied + 1
  end
  return tidied
end

-- Why the budget does not take one more of this amount; `own` is what a coupon has reserved itself.
local function too_much(rule, own, own_amount, amount)
  if rule.redeemed + rule.reserved - own + 1 > rule.most_redeemed then return 'budget_redeemed' end
  if rule.money + rule.reserved_money - own_amount + amount > rule.most_money then
    return 'budget_money'
  end
end

local function is_gone(keys, digest)
  return redis.call('HEXISTS', keys[1], 'gone:' .. digest) == 1
end

local function order_of(r, rule)
  return cjson.encode({r.id, r.campaign, rule.stacking})
end

-- Why a coupon does not go with those that its order has already.
local function clash(keys, r, rule, now)
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', keys[ORDER], '(' .. whole(now), '+inf')) do
    local e = cjson.decode(entry)
    if e[1] ~= r.id then
      if e[2] == r.campaign then return 'same_campaign' end
      if e[3] == 'alone' or rule.stacking == 'alone' then return 'not_together' end
    end
  end
end

local function take_order(keys, r, rule, p, score)
  redis.call('ZADD', keys[ORDER], score, order_of(r, rule))
  redis.call('PEXPIRE', keys[ORDER], p.kept)
end

local function save(keys, r, p, now)
  redis.call('SET', keys[COUPON], cjson.encode(r), 'PXAT',
    whole(math.max(r.valid_to, now) + p.kept))
end

local function remember(r, p, verb, body)
  local mine, transient = {p.call, p.fingerprint, verb, body}, 0
  r.calls[#r.calls + 1] = mine
  for _, call in ipairs(r.calls) do
    if call[3] == 'reserve' or call[3] == 'release' then transient = transient + 1 end
  end
  for i, call in ipairs(r.calls) do
    if transient > MAX_CALLS and (call[3] == 'reserve' or call[3] == 'release') then
      table.remove(r.calls, i)
      break
    end
  end
end

-- The first answer again, when the call was made before.
local function replay(r, p)
  for _, call in ipairs(r.calls) do
    if call[1] == p.call then
      local body = cjson.decode(call[4])
      -- One that a rebuild brought back has no fingerprint: the order must be the same.
      local same = call[2] == p.fingerprint or (call[2] == '' and body.order == p.order)
      if not same then return {'MISMATCH', '{}'} end
      body.replayed = true
      return {'OK', cjson.encode(body)}
    end
  end
end

local function done(keys, r, p, verb, now, returned_now)
  local body = answer_of(r, now, false)
  body.returned_now = returned_now or 0
  body = cjson.encode(body)
  remember(r, p, verb, body)
  save(keys, r, p, now)
  return {'OK', body}
end

-- The coupon of a call, or what to answer instead.
local function find(keys, p)
  local r = open(keys[COUPON])
  if not r then return nil, {'UNKNOWN', '{}'} end
  if r.campaign ~= p.campaign or r.member ~= p.member then
    return nil, {'RETRY', cjson.encode({campaign = r.campaign, member = r.member})}
  end
  return r, replay(r, p)
end
