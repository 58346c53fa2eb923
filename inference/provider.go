package inference

import "realword/inference/session"

// provider is where the worker's runtime computes now, and why it is not where it was; both are empty where it does not say.
func (w *worker) provider() (name, why string) {
	if p, ok := w.graphs.runtime.(session.Placed); ok {
		return p.Provider()
	}
	return "", ""
}

// stage tells that a part of a job begins.
func (w *worker) stage(j *job, stage Stage, picture int) {
	w.begun(j, StageStarted{Stage: stage, Picture: picture})
}

func (w *worker) begun(j *job, e StageStarted) {
	w.reportDevice(j)
	e.Provider, _ = w.provider()
	j.emit(e)
}

// reportDevice tells once a job that the runtime has gone over to another device.
func (w *worker) reportDevice(j *job) {
	if name, why := w.provider(); why != "" && why != w.reported {
		w.reported = why
		e := DeviceChanged{Provider: name, Why: why}
		if p, ok := w.graphs.runtime.(interface{ Why() error }); ok {
			e = Moved(name, p.Why())
		}
		j.emit(e)
	}
}
