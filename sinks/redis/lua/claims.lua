-- The hold gate of one pool: every call is one atomic step. docs/holds.md tells the protocol.
-- library.py joins the files of this folder and adds a head and a foot: a function library on
-- Redis 7 and newer, a script on 6.2.
--
-- Rules of this file: every key comes in as KEYS, time is the server's, and all checks come before
-- the first write, for Redis takes nothing back. Replies are {word, JSON}.

-- Scores of a pair's holds: below, when an unpaid hold lapses (ms); above, its confirm number.
local CONFIRMED = 4503599627370496 -- 2^52: no clock reaches it before the year 144683
local MAX_LINES, MAX_QUANTITY = 100, 100000000
local MAX_RECLAIMED = 100 -- lapsed lines tidied in passing; the sweeper does the rest
local CUSTOMER_KEPT = 8 * 86400000 -- a day longer than the longest hold
local LOG, DUE, OVER, FIRST = 2, 3, 4, 5 -- KEYS: 1 gate, then these, then what the call names

local calls = {}

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function list(rows) -- an empty Lua table would be an object in JSON
  return #rows == 0 and '[]' or cjson.encode(rows)
end

local function units_of(member)
  return tonumber(string.match(member, '^%[(%d+)'))
end

-- A line as it is kept among the holds of its pair: all that an event about it needs.
local function member_of(r, units)
  return cjson.encode({units, r.at, r.id, r.order, r.channel})
end

local function tell(keys, now, r, sku, place, units, state, seq, expires_at)
  redis.call('XADD', keys[LOG], '*', 'reservation', r.id, 'sku', sku, 'place', place,
    'quantity', units, 'state', state, 'hold_seq', seq or 0, 'expires_at', expires_at or '',
    'order', r.order, 'channel', r.channel, 'at', now)
end

-- One (sku, place) as it is now: lapsed holds don't count, whoever tidies them and when.
local function read_pair(s, h, sku, place, now)
  local f = redis.call('HMGET', s, 'version', 'on_hand', 'allocated', 'floor', 'held')
  local pair = {s = s, h = h, sku = sku, place = place, version = f[1]}
  pair.known = f[1] and true or false
  pair.on_hand, pair.held = tonumber(f[2] or 0), tonumber(f[5] or 0)
  pair.lapsed = redis.call('ZRANGEBYSCORE', h, '-inf', now)
  for _, member in ipairs(pair.lapsed) do pair.held = pair.held - units_of(member) end
  pair.unclaimed = pair.on_hand - tonumber(f[3] or 0) - pair.held
  pair.free = pair.unclaimed - tonumber(f[4] or 0)
  pair.take = 0
  return pair
end

local function add_line(pair, score, member, units)
  if redis.call('ZADD', pair.h, score, member) == 1 then
    redis.call('HINCRBY', pair.s, 'held', units)
  end
end

-- True when the line was there: units are given back once, whoever asks again.
local function drop_line(pair, member, units)
  if redis.call('ZREM', pair.h, member) == 0 then return false end
  redis.call('HINCRBY', pair.s, 'held', -units)
  return true
end

local function open(key, id)
  local f = redis.call('HMGET', key, 'state', 'fingerprint', 'expires_at', 'at', 'order',
    'channel', 'customer', 'lines')
  if not f[1] then return nil end
  return {key = key, id = id, state = f[1], fingerprint = f[2], expires_at = tonumber(f[3]),
    at = tonumber(f[4]), order = f[5], channel = f[6], customer = f[7],
    lines = cjson.decode(f[8])}
end

local function units_in(r)
  local units = 0
  for _, line in ipairs(r.lines) do units = units + line[3] end
  return string.format('%d|%s', units, r.id)
end

local function save(keys, r, customer_key)
  redis.call('HSET', r.key, 'state', r.state, 'fingerprint', r.fingerprint, 'expires_at',
    r.expires_at, 'at', r.at, 'order', r.order, 'channel', r.channel, 'customer', r.customer,
    'lines', cjson.encode(r.lines))
  redis.call('ZADD', keys[DUE], r.expires_at, r.id)
  if r.customer ~= '' then
    redis.call('ZADD', customer_key, r.expires_at, units_in(r))
    redis.call('PEXPIREAT', customer_key, r.expires_at + CUSTOMER_KEPT)
  end
end

local function finish(keys, r, customer_key, state, tombstone)
  r.state = state
  redis.call('HSET', r.key, 'state', state)
  redis.call('PEXPIRE', r.key, tombstone)
  redis.call('ZREM', keys[DUE], r.id)
  if r.customer ~= '' then redis.call('ZREM', customer_key, units_in(r)) end
end

local function is_lapsed(r, now)
  return r.state == 'held' and r.expires_at <= now
end

local function answer(r, now, replayed)
  return {'OK', cjson.encode({state = is_lapsed(r, now) and 'expired' or r.state,
    expires_at = r.expires_at, lines = r.lines, customer = r.customer, order = r.order,
    replayed = replayed})}
end

-- The pairs of a reservation's lines, or nil when the caller named other keys (it asks again).
local function pairs_of(keys, at, r, p, now)
  if p.customer ~= r.customer or #p.pairs ~= #r.lines then return nil end
  local found = {}
  for i, line in ipairs(r.lines) do
    if p.pairs[i][1] ~= line[1] or p.pairs[i][2] ~= line[2] then return nil end
    found[i] = read_pair(keys[at + 2 * i - 2], keys[at + 2 * i - 1], line[1], line[2], now)
  end
  return found
end

local function again(r)
  return {'RETRY', cjson.encode({lines = r.lines, customer = r.customer})}
end

local function give_back(keys, r, pairs_, customer_key, state, now, tombstone)
  for i, line in ipairs(r.lines) do
    if drop_line(pairs_[i], member_of(r, line[3]), line[3]) or state == 'expired_short' then
      tell(keys, now, r, line[1], line[2], line[3], state)
    end
  end
  finish(keys, r, customer_key, state, tombstone)
end

local function same_content(r, p)
  if r.fingerprint ~= '' then return r.fingerprint == p.fingerprint end
  local rest = {} -- rebuilt from events, which carry no fingerprint: the units must be the same
  for _, line in ipairs(r.lines) do rest[line[1]] = (rest[line[1]] or 0) + line[3] end
  for _, line in ipairs(p.lines) do rest[line[1]] = (rest[line[1]] or 0) - line[3] end
  for _, units in pairs(rest) do if units ~= 0 then return false end end
  return r.order == p.order
end

local function bad_line(lines)
  if #lines < 1 or #lines > MAX_LINES then return #lines .. ' lines, not 1 to ' .. MAX_LINES end
  for _, line in ipairs(lines) do
    local units = line[3]
    if type(units) ~= 'number' or units < 1 or units > MAX_QUANTITY or units % 1 ~= 0 then
      return 'quantity ' .. tostring(units) .. ' of ' .. line[1] .. ' is no whole number from 1'
    end
  end
end
