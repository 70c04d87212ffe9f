-- Places by preference, then most available first, then by name (never by chance).
local function ranked(places, rank, free)
  local order = {}
  for _, place in ipairs(places) do order[#order + 1] = place end
  table.sort(order, function(a, b)
    local ra, rb = rank[a] or math.huge, rank[b] or math.huge
    if ra ~= rb then return ra < rb end
    if free[a] ~= free[b] then return free[a] > free[b] end
    return a < b
  end)
  return order
end

-- Where the units of lines without a place come from: one place for all of them where there is one,
-- else one place a SKU, else (when allowed) split, always in order of preference.
local function place_lines(p, wanted, skus, places, by)
  local short, rank, sums, everywhere = {}, {}, {}, {}
  for i, place in ipairs(p.order_of_places) do rank[place] = rank[place] or i end
  local function left(sku, place)
    local pair = by[sku][place]
    return pair and pair.known and pair.free - pair.take or 0
  end
  for _, sku in ipairs(skus) do
    for _, place in ipairs(places[sku]) do
      if not sums[place] then sums[place], everywhere[#everywhere + 1] = 0, place end
      sums[place] = sums[place] + math.max(0, left(sku, place))
    end
  end
  local best, fewest = nil, math.huge
  for _, place in ipairs(ranked(everywhere, rank, sums)) do
    local missing = 0
    for _, sku in ipairs(skus) do
      missing = missing + math.max(0, wanted[sku] - math.max(0, left(sku, place)))
    end
    if missing < fewest then best, fewest = place, missing end
  end
  if fewest == 0 or p.single_place then
    for _, sku in ipairs(skus) do
      local here = math.max(0, left(sku, best))
      if here < wanted[sku] then
        short[#short + 1] = {sku, wanted[sku], here}
      else
        by[sku][best].take = by[sku][best].take + wanted[sku]
      end
    end
    return short
  end
  for _, sku in ipairs(skus) do
    local free, sum, most = {}, 0, 0
    for _, place in ipairs(places[sku]) do
      free[place] = math.max(0, left(sku, place))
      sum, most = sum + free[place], math.max(most, free[place])
    end
    local rest, whole = wanted[sku], most >= wanted[sku]
    if not whole and (not p.split or sum < rest) then
      short[#short + 1] = {sku, rest, p.split and sum or most}
    else
      for _, place in ipairs(ranked(places[sku], rank, free)) do
        if rest > 0 and (not whole or free[place] >= rest) then
          local units = math.min(rest, free[place])
          by[sku][place].take, rest = by[sku][place].take + units, rest - units
        end
      end
    end
  end
  return short
end
