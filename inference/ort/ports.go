package ort

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"realword/inference/session"
	"realword/inference/tensor"
)

// ports is what a graph file declares. It is read from the protobuf, because the binding can only tell after loading the
// whole model a second time.
type ports struct {
	inputs, outputs []session.Port
}

// Field numbers of onnx.proto (ONNX IR version 3 and later).
const (
	modelGraph       = 7
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	tensorName       = 8
	valueName        = 1
	valueType        = 2
	typeTensor       = 1
	tensorElem       = 1
	tensorShape      = 2
	shapeDim         = 1
	dimValue         = 1
)

var errBroken = errors.New("it is not an ONNX graph, or it is damaged")

// modelPorts reads the declared inputs and outputs of a graph.
func modelPorts(model []byte) (ports, error) {
	var p ports
	var found bool
	err := eachField(model, func(field protowire.Number, graph []byte, _ uint64) (err error) {
		if field == modelGraph {
			found = true
			p, err = graphPorts(graph)
		}
		return err
	})
	if err == nil && !found {
		err = errBroken
	}
	if err != nil {
		return ports{}, err
	}
	return p, nil
}

func graphPorts(graph []byte) (ports, error) {
	var p ports
	weights := map[string]bool{} // older graphs list their initializers among the inputs
	err := eachField(graph, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case graphInitializer:
			return eachField(body, func(field protowire.Number, name []byte, _ uint64) error {
				if field == tensorName {
					weights[string(name)] = true
				}
				return nil
			})
		case graphInput:
			port, err := readPort(body)
			p.inputs = append(p.inputs, port)
			return err
		case graphOutput:
			port, err := readPort(body)
			p.outputs = append(p.outputs, port)
			return err
		}
		return nil
	})
	if err != nil {
		return ports{}, err
	}
	inputs := p.inputs[:0]
	for _, port := range p.inputs {
		if !weights[port.Name] {
			inputs = append(inputs, port)
		}
	}
	p.inputs = inputs
	return p, nil
}

// readPort reads a ValueInfoProto. A type that Realword does not use gives tensor.Invalid.
// Halves only go from one session to another (session.Keeper), never through Go.
func readPort(value []byte) (session.Port, error) {
	port := session.Port{Shape: []int{}}
	err := eachField(value, func(field protowire.Number, body []byte, _ uint64) error {
		switch field {
		case valueName:
			port.Name = string(body)
		case valueType:
			return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
				if field != typeTensor {
					return nil
				}
				return eachField(body, func(field protowire.Number, body []byte, n uint64) error {
					switch field {
					case tensorElem:
						port.DType = map[uint64]tensor.DType{1: tensor.F32, 7: tensor.I64, 10: tensor.F16, 16: tensor.BF16}[n]
					case tensorShape:
						return eachField(body, func(field protowire.Number, body []byte, _ uint64) error {
							if field != shapeDim {
								return nil
							}
							dim := -1
							err := eachField(body, func(field protowire.Number, _ []byte, n uint64) error {
								if field == dimValue && int64(n) >= 0 {
									dim = int(n)
								}
								return nil
							})
							port.Shape = append(port.Shape, dim)
							return err
						})
					}
					return nil
				})
			})
		}
		return nil
	})
	return port, err
}

// eachField calls visit for every field of a message, with the bytes of a length-delimited field or the value of a varint.
func eachField(message []byte, visit func(field protowire.Number, body []byte, n uint64) error) error {
	for len(message) > 0 {
		field, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return errBroken
		}
		message = message[size:]
		var body []byte
		var n uint64
		switch kind {
		case protowire.BytesType:
			body, size = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(message)
		default:
			size = protowire.ConsumeFieldValue(field, kind, message)
		}
		if size < 0 {
			return errBroken
		}
		message = message[size:]
		if err := visit(field, body, n); err != nil {
			return err
		}
	}
	return nil
}

// describe lists ports for an error message: name, type and shape.
func describe(list []session.Port) string {
	text := ""
	for i, p := range list {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %s%v", p.Name, p.DType, p.Shape)
	}
	return text
}
