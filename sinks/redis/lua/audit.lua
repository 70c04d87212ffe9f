-- Reads pairs with their sums counted anew, and puts one pair right. A script of its own: the calls
-- of the gate stay as they are. KEYS: gate, over-claimed pairs, then (s, h, set of places) a pair.
-- Numbers travel as text, for JSON and Lua's own text round versions past 14 digits.
local CONFIRMED = 4503599627370496 -- as in claims.lua

local function units_of(member)
  return tonumber(string.match(member, '^%[(%d+)'))
end

local function number(text)
  return tonumber(text or 0) or 0
end

local function sum(h, from, to)
  local units, count = 0, 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', h, from, to)) do
    units, count = units + units_of(member), count + 1
  end
  return units, count
end

local function look(s, h, set, place)
  local f = redis.call('HMGET', s, 'version', 'on_hand', 'allocated', 'floor', 'absorbed', 'held',
    'hold_seq')
  local units = sum(h, '-inf', '+inf')
  local _, confirmed = sum(h, '(' .. string.format('%.0f', CONFIRMED), '+inf')
  local upto = string.format('%.0f', CONFIRMED + number(f[5]))
  local absorbed = sum(h, string.format('%.0f', CONFIRMED), upto)
  local row = {}
  for i = 1, 7 do row[i] = f[i] or '' end
  row[8], row[9], row[10] = units, confirmed, absorbed
  row[11] = redis.call('SISMEMBER', set, place)
  return row
end

if ARGV[1] == 'look' then
  local rows, at = {}, 3
  for i = 2, #ARGV do
    rows[#rows + 1] = look(KEYS[at], KEYS[at + 1], KEYS[at + 2], ARGV[i])
    at = at + 3
  end
  return rows
end

-- repair: sku, place, the version that was found wrong (or empty), then the truth.
local s, h, set = KEYS[3], KEYS[4], KEYS[5]
local sku, place, seen, version = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('HGET', KEYS[1], 'state') ~= 'open' then return 'CLOSED' end
local now_version = redis.call('HGET', s, 'version')
-- A projection that came in between is newer than what is about to be written: it stays.
local mine = not now_version or now_version == seen or number(now_version) < number(version)
if mine then
  redis.call('HSET', s, 'version', version, 'on_hand', ARGV[6], 'allocated', ARGV[7],
    'floor', ARGV[8], 'absorbed', ARGV[9])
end
local absorbed = number(redis.call('HGET', s, 'absorbed'))
redis.call('ZREMRANGEBYSCORE', h, string.format('%.0f', CONFIRMED),
  string.format('%.0f', CONFIRMED + absorbed))
local last = redis.call('ZREVRANGE', h, 0, 0, 'WITHSCORES')
local highest = math.max(number(redis.call('HGET', s, 'hold_seq')), absorbed)
if last[2] and number(last[2]) > CONFIRMED then
  highest = math.max(highest, number(last[2]) - CONFIRMED)
end
local held = sum(h, '-inf', '+inf')
redis.call('HSET', s, 'held', held, 'hold_seq', string.format('%.0f', highest))
redis.call('SADD', set, place)
local time = redis.call('TIME')
local lapsed = sum(h, '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
local f = redis.call('HMGET', s, 'on_hand', 'allocated')
local unclaimed = number(f[1]) - number(f[2]) - held + lapsed
local name = cjson.encode({sku, place})
if unclaimed < 0 then
  redis.call('ZADD', KEYS[2], -unclaimed, name)
else
  redis.call('ZREM', KEYS[2], name)
end
return mine and 'OK' or 'NEWER'
