// Command arbitration serves the arbitration chaincode to a peer.
package main

import (
	"concordat/chaincode/arbitration"
	"concordat/chaincode/service"
)

func main() { service.Main(service.New("arbitration", arbitration.NewContract())) }
