-- Campaigns, what is read at a till, and the sweeper's work.

-- Publishes campaigns: their caps may change, what was promised may not. Names: a rule a row.
function calls.publish(keys, p, now)
  local before = tonumber(redis.call('HGET', keys[1], 'version') or 0)
  if p.version < before then return {'OLDER', cjson.encode({version = before})} end
  if p.version == before then
    if redis.call('HGET', keys[1], 'book') == p.book then return {'OK', '{}'} end
    return {'SAME_VERSION', cjson.encode({version = before})}
  end
  local changed = {}
  for i, row in ipairs(p.rows) do
    local f = redis.call('HMGET', keys[FIRST + i - 1], 'terms', 'issued')
    if f[1] and f[1] ~= row.terms and tonumber(f[2] or 0) > 0 then changed[#changed + 1] = row.id end
  end
  if #changed > 0 then return {'TERMS', cjson.encode({campaigns = changed})} end
  for i, row in ipairs(p.rows) do
    redis.call('HSET', keys[FIRST + i - 1], 'known', '1', 'terms', row.terms, 'most_issued',
      row.issued, 'most_redeemed', row.redeemed, 'most_money', row.money, 'per_member',
      row.per_member, 'stopped', row.stopped, 'transferable', row.transferable,
      'stacking', row.stacking)
    redis.call('HSET', keys[RULES], row.id, row.body)
  end
  redis.call('HSET', keys[1], 'version', p.version, 'book', p.book)
  return {'OK', '{}'}
end

-- Coupons and campaigns as they are now. Names: the coupons, then (rule, live) a campaign.
function calls.look(keys, p, now)
  local coupons, rules, at = {}, {}, FIRST + #p.coupons
  for i in ipairs(p.coupons) do
    local r = open(keys[FIRST + i - 1])
    if r then
      local row = answer_of(r, now, true)
      coupons[#coupons + 1] = row
    end
  end
  for i, campaign in ipairs(p.campaigns) do
    local rule = read_rule(keys[at + 2 * i - 2], keys[at + 2 * i - 1], now)
    if rule then
      rules[#rules + 1] = {campaign = campaign, issued = rule.issued, redeemed = rule.redeemed,
        money = rule.money, reserved = rule.reserved, reserved_money = rule.reserved_money,
        stopped = rule.stopped, full = too_much(rule, 0, 0, 1) or ''}
    end
  end
  return {'OK', '{"at":' .. whole(now) .. ',"coupons":' .. list(coupons) .. ',"campaigns":'
    .. list(rules) .. '}'}
end

-- Which coupons are past their validity and still wait to be told so.
function calls.due(keys, p, now)
  return {'OK', list(redis.call('ZRANGEBYSCORE', keys[DUE], '-inf', now, 'LIMIT', 0, p.limit))}
end

-- Tells of expired coupons, several a call. Names: (coupon, rule, live, member) an item.
function calls.expire(keys, p, now)
  local told, at = 0, FIRST
  for _, item in ipairs(p.items) do
    local own = {keys[1], keys[LOG], keys[DUE], keys[RULES], keys[at], keys[at + 1], keys[at + 2],
      keys[at + 3]}
    local r, entry = open(own[COUPON]), cjson.encode(item)
    if not r or r.state == 'redeemed' then
      redis.call('ZREM', keys[DUE], entry)
    elseif judged(r, now) == 'expired' then
      redis.call('ZREM', keys[DUE], entry)
      redis.call('ZREM', own[MEMBER], index_of(r))
      if r.state == 'reserved' then
        local rule = read_rule(own[RULE], own[LIVE], now)
        tidy(own, own[RULE], own[LIVE], r.campaign, rule, #rule.lapsed)
      end
      if r.state ~= 'expired' then
        r.state = 'expired'
        save(own, r, p, now)
        tell(own, 'expired', r.valid_to, r, {})
        told = told + 1
      end
    elseif r.state == 'reserved' then
      redis.call('ZADD', keys[DUE], r.ends, entry) -- reserved in time: looked at again then
    end
    at = at + 4
  end
  return {'OK', tostring(told)}
end

-- Tidies lapsed reservations. Names: (rule, live) a campaign.
function calls.lapse(keys, p, now)
  local tidied = 0
  for i, campaign in ipairs(p.campaigns) do
    local rule_key, live_key = keys[FIRST + 2 * i - 2], keys[FIRST + 2 * i - 1]
    local rule = read_rule(rule_key, live_key, now)
    if rule then tidied = tidied + tidy(keys, rule_key, live_key, campaign, rule, p.limit) end
  end
  return {'OK', tostring(tidied)}
end

local OPEN_OR_NOT = {publish = true, look = true, restore = true, clear = true, reopen = true,
  gone = true, erase = true, swept = true}

local function dispatch(keys, args)
  local p = cjson.decode(args[2])
  if not OPEN_OR_NOT[args[1]] then
    local desk = redis.call('HMGET', keys[1], 'state', 'run_id')
    local state = state_now(desk[1], desk[2])
    if state ~= 'open' then return {'CLOSED', cjson.encode({state = state})} end
  end
  return calls[args[1]](keys, p, now_ms())
end
