-- What becomes of a hold. Names of these calls: reservation, customer, then (s, h) a line.

local function held_or_answer(keys, p, now, late)
  local r = open(keys[FIRST], p.reservation)
  if not r then return nil, nil, {'UNKNOWN', '{}'} end
  if r.state ~= 'held' and (r.state ~= 'expired' or not late) then
    return nil, nil, answer(r, now, true)
  end
  local found = pairs_of(keys, FIRST + 2, r, p, now)
  if not found then return nil, nil, again(r) end
  return r, found
end

function calls.read(keys, p, now)
  local r = open(keys[FIRST], p.reservation)
  return r and answer(r, now, true) or {'UNKNOWN', '{}'}
end

-- Paid: the lines are numbered, a pair each from 1 without a gap, and can lapse no more. Too late:
-- the units are taken again if all are still there.
function calls.confirm(keys, p, now)
  local r, found, other = held_or_answer(keys, p, now, true)
  if not r then return other end
  if r.state == 'expired' or is_lapsed(r, now) then
    for i, line in ipairs(r.lines) do
      if not found[i].known or found[i].free < line[3] then
        give_back(keys, r, found, keys[FIRST + 1], 'expired_short', now, p.tombstone)
        return answer(r, now, false)
      end
    end
  end
  for i, line in ipairs(r.lines) do
    local number = redis.call('HINCRBY', found[i].s, 'hold_seq', 1)
    add_line(found[i], CONFIRMED + number, member_of(r, line[3]), line[3])
    tell(keys, now, r, line[1], line[2], line[3], 'confirmed', number)
  end
  finish(keys, r, keys[FIRST + 1], 'confirmed', p.tombstone)
  return answer(r, now, false)
end

function calls.release(keys, p, now)
  local r, found, other = held_or_answer(keys, p, now)
  if not r then return other end
  local state = is_lapsed(r, now) and 'expired' or 'released'
  give_back(keys, r, found, keys[FIRST + 1], state, now, p.tombstone)
  return answer(r, now, false)
end

function calls.extend(keys, p, now)
  local r, found, other = held_or_answer(keys, p, now)
  if not r then return other end
  if is_lapsed(r, now) or now + p.ttl <= r.expires_at then return answer(r, now, true) end
  r.expires_at = now + p.ttl
  for i, line in ipairs(r.lines) do
    add_line(found[i], r.expires_at, member_of(r, line[3]), line[3])
    tell(keys, now, r, line[1], line[2], line[3], 'held', 0, r.expires_at)
  end
  save(keys, r, keys[FIRST + 1])
  return answer(r, now, false)
end

-- Which holds have lapsed and still wait to be tidied.
function calls.due(keys, p, now)
  return {'OK', list(redis.call('ZRANGEBYSCORE', keys[DUE], '-inf', now, 'LIMIT', 0, p.limit))}
end

-- Tidies lapsed holds, several a call; names: for each reservation what the other calls name.
function calls.expire(keys, p, now)
  local at, tidied = FIRST, 0
  for _, claim in ipairs(p.claims) do
    local r = open(keys[at], claim.reservation)
    if not r or r.state ~= 'held' then
      redis.call('ZREM', keys[DUE], claim.reservation)
    elseif is_lapsed(r, now) then
      local found = pairs_of(keys, at + 2, r, claim, now)
      if found then
        give_back(keys, r, found, keys[at + 1], 'expired', now, p.tombstone)
        tidied = tidied + 1
      end
    end
    at = at + 2 + 2 * #claim.pairs
  end
  return {'OK', tostring(tidied)}
end
