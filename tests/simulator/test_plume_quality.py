from tests.simulator.plume_cloud import Cloud, below, clock, cloud, plume, stranger

__all__ = ["clock", "cloud", "plume", "stranger"]


async def test_quality_of_many_is_told_at_once_but_of_no_more_than_30(cloud: Cloud) -> None:
    home = cloud.world.place("many_pods")
    path = below(home, "qoeMetrics", "reports")
    ids = [node["id"] for node in (await cloud.of(home, "nodes"))["nodes"]]
    macs = [device["mac"] for device in (await cloud.of(home, "devices"))["devices"]]

    told = (await cloud.send("POST", path, nodeIds=ids[:20], deviceIds=macs[:10])).json()

    assert list(told["nodes"]) == ids[:20]
    assert list(told["devices"]) == macs[:10]
    assert len(told["nodes"][ids[0]]["data"]) == 97
    assert (await cloud.send("POST", path)).status_code == 422
    many = await cloud.send("POST", path, nodeIds=ids[:20], deviceIds=macs[:11])
    assert many.status_code == 422


async def test_signals_are_a_series_with_holes(cloud: Cloud) -> None:
    home = cloud.world.place("many_devices")
    devices = (await cloud.of(home, "devices"))["devices"]
    mac = next(it["mac"] for it in devices if it.get("freqBand") == "5G")

    told = await cloud.of(home, f"devices/{mac}/rssi", "reports", granularity="hours", limit=24)

    values = [row["value"] for row in told["5g"]]
    assert len(values) == 97
    assert told["2g"] == told["6g"] == []
    assert -95 in values
    assert all(-95 <= value < -30 for value in values)
