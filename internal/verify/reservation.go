package verify

// Reservation is a job on its way from the operation that leaves it to the worker: in a place of the
// worker's lane if there is one, else by the queue.
type Reservation struct {
	place Place // nil if the job has to wait in the queue
	job   Job
}

// Reserve keeps a place for a job of a kind, if there is one. Whoever reserves has to call GiveUp when the
// operation ends, however it ends.
func (e *Engine) Reserve(kind string) *Reservation {
	r := &Reservation{}
	if e.Lanes != nil {
		if place, ok := e.Lanes.Reserve(kind); ok {
			r.place = place
		}
	}
	return r
}

// Enqueue leaves a job with the commit, claimed already if it has a place; then fill adds to it what the
// worker would otherwise have to read. It may run more than once.
func (r *Reservation) Enqueue(tx Tx, job Job, fill func(*Job) error) error {
	r.job = job
	if r.place != nil {
		r.job = r.place.Claim(job)
		if err := fill(&r.job); err != nil {
			return err
		}
	}
	tx.Enqueue(r.job)
	return nil
}

// Reset forgets the job of a run that was not committed, where the next run may leave none.
func (r *Reservation) Reset() { r.job = Job{} }

// Begin hands the committed job over, if there is one and it has a place.
func (r *Reservation) Begin() {
	if r.place != nil && r.job.ID != 0 {
		r.place.Run(r.job)
		r.place = nil
	}
}

// GiveUp gives the place back if the job was not begun.
func (r *Reservation) GiveUp() {
	if r.place != nil {
		r.place.Release()
	}
}
