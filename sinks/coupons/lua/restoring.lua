-- A desk is written anew from what it had told, piece by piece, while it is not open, by whoever
-- signed for it last.

local function not_mine(keys, p)
  local f = redis.call('HMGET', keys[1], 'state', 'rebuilder')
  if f[1] == 'open' or f[2] ~= p.rebuilder then return {'OPEN', '{}'} end
end

-- Forgets coupons and counters. Names: any keys of the desk.
function calls.clear(keys, p, now)
  local wrong = not_mine(keys, p)
  if wrong then return wrong end
  for i = FIRST, #keys do
    local key = keys[i]
    if string.sub(key, 1, #p.rules) == p.rules then
      redis.call('HDEL', key, 'issued', 'redeemed', 'money', 'reserved', 'reserved_money')
    elseif key ~= keys[1] and key ~= keys[LOG] and key ~= keys[RULES] then
      redis.call('DEL', key)
    end
  end
  return {'OK', '{}'}
end

function calls.reopen(keys, p, now)
  local wrong = not_mine(keys, p)
  if wrong then return wrong end
  redis.call('HSET', keys[1], 'state', 'open', 'epoch', p.epoch, 'run_id', p.run_id)
  redis.call('HDEL', keys[1], 'rebuilder')
  return {'OK', '{}'}
end

-- Names: what a call about one coupon names, for each. Sending a piece twice writes the same.
function calls.restore(keys, p, now)
  local wrong = not_mine(keys, p)
  if wrong then return wrong end
  local written = 0
  for i, r in ipairs(p.coupons) do
    local own = {keys[1], keys[LOG], keys[DUE], keys[RULES],
      unpack(keys, FIRST + 6 * i - 6, FIRST + 6 * i - 1)}
    local rule = read_rule(own[RULE], own[LIVE], now)
    if rule and redis.call('EXISTS', own[COUPON]) == 0 then
      r.fingerprint, r.calls = p.fingerprints[i], {}
      for _, told in ipairs(r.rollbacks) do
        local refund, order, store, amount, basket, part, returned = unpack(told)
        local body = answer_of(r, now, false)
        body.state = returned >= basket and 'rolled_back' or 'redeemed'
        body.order, body.store, body.amount, body.basket = order, store, amount, basket
        body.returned, body.returned_now = returned, part
        r.calls[#r.calls + 1] = {refund, '', 'rollback', cjson.encode(body)}
      end
      r.rollbacks = nil
      redis.call('HINCRBY', own[RULE], 'issued', 1)
      if r.member ~= ERASED then redis.call('HINCRBY', own[COUNTS], r.member, 1) end
      if r.state == 'redeemed' then
        redis.call('HINCRBY', own[RULE], 'redeemed', 1)
        redis.call('HINCRBY', own[RULE], 'money', whole(r.amount))
        take_order(own, r, rule, p, FOR_GOOD)
      elseif r.state == 'reserved' then
        redis.call('HINCRBY', own[RULE], 'reserved', 1)
        redis.call('HINCRBY', own[RULE], 'reserved_money', whole(r.amount))
        redis.call('ZADD', own[LIVE], r.ends, live_of(r))
        take_order(own, r, rule, p, r.ends)
      end
      if r.state ~= 'redeemed' and r.state ~= 'expired' then
        redis.call('ZADD', own[DUE], r.valid_to, entry_of(r))
        redis.call('ZADD', own[MEMBER], r.valid_to, index_of(r))
      end
      save(own, r, p, now)
      written = written + 1
    end
  end
  return {'OK', tostring(written)}
end
