// One-time passcodes as an application usually has them: Express in front, one Redis key for each
// recipient. Its two requests are those of verifyd, so that one load generator measures both.
import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import express from 'express'
import { createClient } from 'redis'

const { TWILIO_ACCOUNT_SID: account, TWILIO_AUTH_TOKEN: token, REDIS_URL: url } = process.env
const lifetime = 600 // seconds
const maxChecks = 5
const key = randomBytes(32)
const authorization = 'Basic ' + Buffer.from(`${account}:${token}`).toString('base64')
const mint = prefix => prefix + randomBytes(16).toString('hex')
const mac = (id, code) => createHmac('sha256', key).update(`${id} ${code}`).digest()

// Counting and reading are one step, so that guesses at the same time cannot share one try.
const count = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
  redis.call('HINCRBY', KEYS[1], 'checks', 1)
  return redis.call('HMGET', KEYS[1], 'checks', 'mac', 'sid', 'attempt', 'created')`

const redis = createClient({ url })
await redis.connect()

const app = express()
app.disable('x-powered-by').disable('etag')
app.use((req, res, next) => req.headers.authorization === authorization ? next() : res.sendStatus(401))
app.use(express.urlencoded({ extended: false }))

const answer = (service, to, v, status) => ({
  sid: v.sid, service_sid: service, account_sid: account, to, channel: 'sms', status, valid: status === 'approved',
  date_created: v.created, date_updated: new Date().toISOString(), lookup: {}, amount: null, payee: null,
  send_code_attempts: [{ attempt_sid: v.attempt, channel: 'sms', time: v.created }], sna: null,
})

app.post('/v2/Services/:service/Verifications', async (req, res) => {
  const { service } = req.params
  const { To: to, CustomCode: custom } = req.body
  if (!/^\+\d{8,15}$/.test(to)) return res.status(400).json({ code: 60200, status: 400 })
  const code = custom ?? String(randomInt(1_000_000)).padStart(6, '0')
  const v = { sid: mint('VE'), attempt: mint('VL'), created: new Date().toISOString() }
  const id = `${service}:${to}`
  await redis.multi().hSet(id, { ...v, checks: 0, mac: mac(v.sid, code).toString('hex') }).expire(id, lifetime).exec()
  res.status(201).json(answer(service, to, v, 'pending'))
})

app.post('/v2/Services/:service/VerificationCheck', async (req, res) => {
  const { service } = req.params
  const { To: to, Code: code } = req.body
  const id = `${service}:${to}`
  const [checks, was, sid, attempt, created] = await redis.eval(count, { keys: [id] }) ?? []
  if (!was) return res.status(404).json({ code: 20404, status: 404 })
  if (checks > maxChecks) return res.status(429).json({ code: 60202, status: 429 })
  const right = timingSafeEqual(mac(sid, String(code)), Buffer.from(was, 'hex'))
  // Whoever deletes it has used it: a code is good once.
  if (right && await redis.del(id) === 0) return res.status(404).json({ code: 20404, status: 404 })
  res.json(answer(service, to, { sid, attempt, created }, right ? 'approved' : 'pending'))
})

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`service SID VA${'0'.repeat(32)}\nbase URL http://127.0.0.1:${server.address().port}`)
})
