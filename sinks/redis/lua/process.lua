-- Which process of the server this is. One that comes back after a crash may lack its last writes
-- (`appendfsync everysec`), so it promises nothing until the keeper has seen to it. A function
-- library is loaded anew by each process, so it asks once; a script (6.2) asks each time.
local run_id

local function this_run()
  if not run_id then
    run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  end
  return run_id
end

-- `opened_by` is the run that the state was written under.
local function state_now(state, opened_by)
  if state == 'open' and opened_by ~= this_run() then return 'restarted' end
  return state or 'empty'
end
