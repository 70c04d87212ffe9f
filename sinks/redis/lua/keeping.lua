-- The keeper's side: the truth comes in, holds give way to tills, a lost gate is written again.

local OPEN_OR_NOT = {project = true, restore = true}

local function mark(keys, pair)
  local name = cjson.encode({pair.sku, pair.place})
  if pair.unclaimed < 0 then
    redis.call('ZADD', keys[OVER], -pair.unclaimed, name)
  else
    redis.call('ZREM', keys[OVER], name)
  end
end

-- The truth of one pair, if it is newer than what is there, and the confirmed holds that it contains
-- go: so each unit is counted once at every moment. Holds are never set from outside.
local function take_truth(s, h, set, row)
  local sku, place, version, on_hand, allocated, floor, absorbed = unpack(row)
  local f = redis.call('HMGET', s, 'version', 'absorbed', 'hold_seq')
  if f[1] and tonumber(f[1]) >= version then return 0 end
  absorbed = math.max(absorbed, tonumber(f[2] or 0))
  -- A counter behind the truth (its last confirms were lost) would number other holds the same.
  redis.call('HSET', s, 'version', version, 'on_hand', on_hand, 'allocated', allocated,
    'floor', floor, 'absorbed', absorbed, 'hold_seq', math.max(absorbed, tonumber(f[3] or 0)))
  redis.call('SADD', set, place)
  local upto = CONFIRMED + absorbed
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', h, CONFIRMED, upto)) do
    redis.call('HINCRBY', s, 'held', -units_of(member))
  end
  redis.call('ZREMRANGEBYSCORE', h, CONFIRMED, upto)
  return 1
end

-- Names: (s, h, set of places) a row.
function calls.project(keys, p, now)
  local applied, over = 0, {}
  for i, row in ipairs(p.rows) do
    local s, h, set = unpack(keys, FIRST + 3 * i - 3, FIRST + 3 * i - 1)
    applied = applied + take_truth(s, h, set, row)
    local pair = read_pair(s, h, row[1], row[2], now)
    mark(keys, pair)
    if pair.unclaimed < 0 then over[#over + 1] = {row[1], row[2], -pair.unclaimed} end
  end
  return {'OK', '[' .. applied .. ',' .. list(over) .. ']'}
end

-- Names: (s, h) a pair, then the sets of places of the SKUs that were asked for as a whole. The
-- version is answered as text: JSON would round it past 14 digits.
function calls.available(keys, p, now)
  local rows, known, at = {}, {}, FIRST
  for _, name in ipairs(p.pairs) do
    local pair = read_pair(keys[at], keys[at + 1], name[1], name[2], now)
    known[cjson.encode(name)], at = pair, at + 2
  end
  local places, retry = {}, false
  for i, sku in ipairs(p.sets) do
    places[sku] = redis.call('SMEMBERS', keys[at + i - 1])
    for _, place in ipairs(places[sku]) do retry = retry or not known[cjson.encode({sku, place})] end
    if #places[sku] == 0 then places[sku] = nil end
  end
  if retry then return {'RETRY', cjson.encode({places = places})} end
  for _, name in ipairs(p.pairs) do
    local pair = known[cjson.encode(name)]
    if pair.known then
      rows[#rows + 1] = {pair.sku, pair.place, pair.free, pair.held, pair.on_hand, pair.version}
    end
  end
  return {'OK', list(rows)}
end

-- A till sold what was held here: the youngest unpaid holds that no longer fit go to another place,
-- or lose. Names: set of places, (s, h) a place (this one first), then the reservations.
function calls.replace(keys, p, now)
  local found, here, at = {}, nil, FIRST + 1
  for _, place in ipairs(p.places) do
    found[place], at = read_pair(keys[at], keys[at + 1], p.sku, place, now), at + 2
  end
  here = found[p.place]
  local record_key, retry, places = {}, false, redis.call('SMEMBERS', keys[FIRST])
  for i, id in ipairs(p.reservations) do record_key[id] = keys[at + i - 1] end
  for _, place in ipairs(places) do retry = retry or not found[place] end
  table.sort(places)

  local young, live = {}, redis.call('ZRANGEBYSCORE', here.h, '(' .. now, CONFIRMED)
  for _, member in ipairs(live) do young[#young + 1] = cjson.decode(member) end
  table.sort(young, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[3] > b[3]) end)
  local lack, ids = -here.unclaimed, {}
  for i, hold in ipairs(young) do
    if lack <= 0 or i > p.limit then break end
    lack, ids[i] = lack - hold[1], hold[3]
    retry = retry or not record_key[hold[3]]
  end
  if retry then
    return {'RETRY', '{"places":' .. list(places) .. ',"reservations":' .. list(ids) .. '}'}
  end

  local moved, lost = {}, {}
  for i, id in ipairs(ids) do
    local units, target, r = young[i][1], nil, open(record_key[id], id)
    for _, place in ipairs(places) do
      local pair = found[place]
      if pair ~= here and pair.known and pair.free >= units
        and (not target or pair.free > target.free) then target = pair end
    end
    if not target or not r then
      lost[#lost + 1] = {id, young[i][4], units}
    else
      local lines, there = {}, units
      for _, line in ipairs(r.lines) do
        if line[1] == p.sku and line[2] == target.place then
          there = there + line[3] -- a line of it is there already: they become one
          drop_line(target, member_of(r, line[3]), line[3])
        elseif line[1] ~= p.sku or line[2] ~= p.place then
          lines[#lines + 1] = line
        end
      end
      lines[#lines + 1] = {p.sku, target.place, there}
      drop_line(here, member_of(r, units), units)
      add_line(target, r.expires_at, member_of(r, there), there)
      target.free, here.unclaimed, r.lines = target.free - units, here.unclaimed + units, lines
      redis.call('HSET', r.key, 'lines', cjson.encode(lines))
      tell(keys, now, r, p.sku, p.place, units, 'released')
      tell(keys, now, r, p.sku, target.place, there, 'held', 0, r.expires_at)
      moved[#moved + 1] = {id, young[i][4], target.place, units}
    end
  end
  mark(keys, here)
  return {'OK', '[' .. list(moved) .. ',' .. list(lost) .. ',' .. math.max(0, -here.unclaimed) .. ']'}
end

-- Writes a lost gate again, piece by piece, while it is closed. Names: (s, h, set) a pair, then the
-- reservations. Sending a piece twice writes the same.
function calls.restore(keys, p, now)
  if redis.call('HGET', keys[1], 'state') == 'open' then return {'GATE_OPEN', '{}'} end
  local at = FIRST
  for _, row in ipairs(p.pairs) do
    local s, h, set = unpack(keys, at, at + 2)
    if row.truth then take_truth(s, h, set, row.truth) end
    local absorbed = tonumber(redis.call('HGET', s, 'absorbed') or 0)
    local number = math.max(row.hold_seq, tonumber(redis.call('HGET', s, 'hold_seq') or 0))
    redis.call('DEL', h)
    redis.call('HSET', s, 'held', 0, 'hold_seq', number)
    for _, line in ipairs(row.lines) do
      local r = {id = line[2], at = line[3], order = line[4], channel = line[5]}
      if line[7] == 0 then
        add_line({s = s, h = h}, line[6], member_of(r, line[1]), line[1])
      elseif line[7] > absorbed then
        add_line({s = s, h = h}, CONFIRMED + line[7], member_of(r, line[1]), line[1])
      end
    end
    mark(keys, read_pair(s, h, row.sku, row.place, now))
    at = at + 3
  end
  for i, r in ipairs(p.reservations) do
    r.key, r.fingerprint, r.customer = keys[at + i - 1], '', ''
    save(keys, r, nil)
    if r.state ~= 'held' then finish(keys, r, nil, r.state, p.tombstone) end
  end
  for _, e in ipairs(p.events) do
    tell(keys, now, e, e.sku, e.place, e.quantity, e.state, e.hold_seq)
  end
  return {'OK', '{}'}
end

local function dispatch(keys, args)
  local p = cjson.decode(args[2])
  if not OPEN_OR_NOT[args[1]] then
    local gate = redis.call('HMGET', keys[1], 'state', 'epoch', 'run_id')
    local state = state_now(gate[1], gate[3])
    if state ~= 'open' or (p.epoch ~= '' and p.epoch ~= gate[2]) then
      return {'CLOSED', cjson.encode({state = state, epoch = gate[2] or ''})}
    end
  end
  return calls[args[1]](keys, p, now_ms())
end
