-- Names: reservation, customer, replaced reservation, then (s, h) a pair, then the sets of places.
function calls.hold(keys, p, now)
  local r = open(keys[FIRST], p.reservation)
  if r then
    if not same_content(r, p) then return {'MISMATCH', '{}'} end
    return answer(r, now, true)
  end
  local wrong = bad_line(p.lines)
  if wrong then return {'INVALID', cjson.encode({reason = wrong})} end

  local old = p.replaces ~= '' and open(keys[FIRST + 2], p.replaces) or nil
  if old and old.state == 'confirmed' then return {'CONFIRMED', '{}'} end
  if old and (old.state ~= 'held' or is_lapsed(old, now)) then old = nil end
  if old and old.customer ~= p.customer then
    return {'INVALID', cjson.encode({reason = 'the hold to replace is of another customer'})}
  end

  local by, all, at = {}, {}, FIRST + 3
  for i, name in ipairs(p.pairs) do
    local pair = read_pair(keys[at], keys[at + 1], name[1], name[2], now)
    by[name[1]] = by[name[1]] or {}
    by[name[1]][name[2]], all[i], at = pair, pair, at + 2
  end
  local places, retry, unknown = {}, false, {}
  for i, sku in ipairs(p.sets) do
    places[sku] = redis.call('SMEMBERS', keys[at + i - 1])
    by[sku] = by[sku] or {}
    for _, place in ipairs(places[sku]) do retry = retry or not by[sku][place] end
    if #places[sku] == 0 then unknown[#unknown + 1], places[sku] = {sku, ''}, nil end
  end
  for _, line in ipairs(old and old.lines or {}) do
    local pair = by[line[1]] and by[line[1]][line[2]]
    if pair then pair.free = pair.free + line[3] else retry = true end
  end
  if retry then
    return {'RETRY', cjson.encode({places = places, replaced = old and old.lines})}
  end

  local wanted, skus, short, seen = {}, {}, {}, {}
  for _, line in ipairs(p.lines) do
    local sku, place, units = line[1], line[2], line[3]
    if place ~= '' then
      local pair = by[sku][place]
      if not pair.known then unknown[#unknown + 1] = {sku, place} end
      pair.take = pair.take + units
    else
      if not wanted[sku] then skus[#skus + 1] = sku end
      wanted[sku] = (wanted[sku] or 0) + units
    end
  end
  if #unknown > 0 then return {'UNKNOWN_SKU', list(unknown)} end
  for _, pair in ipairs(all) do
    if pair.take > pair.free and pair.take > 0 then
      short[#short + 1] = {pair.sku, pair.take, math.max(0, pair.free)}
    end
  end
  if #skus > 0 then
    for _, row in ipairs(place_lines(p, wanted, skus, places, by)) do short[#short + 1] = row end
  end
  if #short > 0 then return {'SHORT', list(short)} end

  r = {key = keys[FIRST], id = p.reservation, state = 'held', fingerprint = p.fingerprint, at = now,
    expires_at = now + p.ttl, order = p.order, channel = p.channel, customer = p.customer}
  r.lines = {}
  for _, pair in ipairs(all) do
    if pair.take > 0 then r.lines[#r.lines + 1] = {pair.sku, pair.place, pair.take} end
  end
  if p.customer ~= '' then
    local holds, units = 1, units_of('[' .. units_in(r))
    for _, other in ipairs(redis.call('ZRANGEBYSCORE', keys[FIRST + 1], '(' .. now, '+inf')) do
      if not old or other ~= units_in(old) then
        holds, units = holds + 1, units + units_of('[' .. other)
      end
    end
    if (p.max_holds and holds > p.max_holds) or (p.max_units and units > p.max_units) then
      return {'CAP', cjson.encode({holds = holds, units = units})}
    end
  end

  -- All is checked: from here on only writes.
  if old then
    local theirs = {}
    for i, line in ipairs(old.lines) do theirs[i] = by[line[1]][line[2]] end
    give_back(keys, old, theirs, keys[FIRST + 1], 'released', now, p.tombstone)
  end
  for _, pair in ipairs(all) do
    if pair.take > 0 then
      for i = 1, math.min(#pair.lapsed, MAX_RECLAIMED) do
        local theirs = cjson.decode(pair.lapsed[i])
        local line = {id = theirs[3], order = theirs[4], channel = theirs[5]}
        drop_line(pair, pair.lapsed[i], theirs[1])
        tell(keys, now, line, pair.sku, pair.place, theirs[1], 'expired')
      end
      add_line(pair, r.expires_at, member_of(r, pair.take), pair.take)
      tell(keys, now, r, pair.sku, pair.place, pair.take, 'held', 0, r.expires_at)
    end
  end
  if p.customer ~= '' then redis.call('ZREMRANGEBYSCORE', keys[FIRST + 1], '-inf', now) end
  save(keys, r, keys[FIRST + 1])
  return answer(r, now, false)
end
